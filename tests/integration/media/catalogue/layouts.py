"""What each publisher's site looks like, with decoys: older releases, betas, other flavours, torrents.

``EXPECTED`` says what must be found of each entry for each architecture: release and URL.
"""

import json
from collections.abc import Callable

from tests.integration.media.catalogue.site import Site, bsd, digests, gnu, sha

Found = dict[tuple[str, str], tuple[str, str]]
Layout = Callable[[Site], Found]
X86, ARM = "x86_64", "aarch64"


def alma(site: Site) -> Found:
    base = "https://repo.almalinux.org/almalinux/"
    site.index(base, ["8/", "8.10/", "9/", "9.6/", "10/", "10.0/", "RPM-GPG-KEY-AlmaLinux-10", "almalinux-mirrors.txt"])
    found: Found = {}
    for arch in (X86, ARM, "ppc64le", "s390x"):
        folder = f"{base}10/cloud/{arch}/images/"
        names = [f"AlmaLinux-10-GenericCloud-{build}.{arch}.qcow2" for build in ("10.0-20250528.0", "10.0-20250819.0", "latest")]
        sums = site.page(f"{folder}CHECKSUM", gnu(site.images(folder, [*names, f"AlmaLinux-10-OpenNebula-latest.{arch}.qcow2"])))
        site.signed(sums, ".asc")
        found["alma-cloud", arch] = ("10", folder + names[1])
    for arch in (X86, ARM):
        folder = f"{base}10/live/{arch}/"
        names = [
            f"AlmaLinux-{version}-{arch}-Live-{desktop}.iso" for version in ("10.0", "10-latest") for desktop in ("GNOME", "KDE", "XFCE")
        ]
        site.signed(site.page(f"{folder}CHECKSUM", bsd(site.images(folder, names))), ".asc")
        found["alma", arch] = ("10.0", folder + names[0])
    return found


def alpine(site: Site) -> Found:
    base = "https://dl-cdn.alpinelinux.org/alpine/latest-stable/releases/"
    found: Found = {}
    for arch, theirs in ((X86, "x86_64"), (ARM, "aarch64"), ("i386", "x86"), ("arm", "armv7")):
        rows = []
        for flavor in ("standard", "virt", "xen"):
            name = f"alpine-{flavor}-3.22.1-{theirs}.iso"
            content = site.image(f"{base}{theirs}/{name}")
            rows.append(
                f'-\n  title: "{flavor.title()}"\n  desc: |\n    Similar to standard.\n  branch: v3.22\n  arch: {theirs}\n'
                f"  version: 3.22.1\n  flavor: alpine-{flavor}\n  file: {name}\n  iso: {name}\n  date: 2026-07-15\n  time: 10:56:12\n"
                f"  size: {len(content)}\n  sha256: {sha(content)}\n  sha512: {sha(content, 'sha512')}\n"
            )
        site.page(f"{base}{theirs}/latest-releases.yaml", "---\n" + "".join(rows))
        found["alpine", arch] = ("3.22.1", f"{base}{theirs}/alpine-virt-3.22.1-{theirs}.iso")
    names = []
    for arch in (X86, ARM):
        for cloud, boot, version in (
            ("nocloud", "uefi", "3.22.0"),
            ("nocloud", "uefi", "3.22.1"),
            ("aws", "uefi", "3.22.1"),
            ("nocloud", "bios", "3.22.1"),
        ):
            name = f"{cloud}_alpine-{version}-{arch}-{boot}-cloudinit-r0.qcow2"
            site.page(f"{base}cloud/{name}.sha512", sha(site.image(f"{base}cloud/{name}"), "sha512") + f"  {name}\n")
            names += [name, f"{name}.sha512", f"{name}.asc", name.replace("cloudinit", "tiny")]
        found["alpine-cloud", arch] = ("3.22.1", f"{base}cloud/nocloud_alpine-3.22.1-{arch}-uefi-cloudinit-r0.qcow2")
    site.index(f"{base}cloud/", names, style="nginx")
    return found


def arch(site: Site) -> Found:
    base = "https://geo.mirror.pkgbuild.com/"
    iso = f"{base}iso/latest/"
    names = ["archlinux-2026.01.01-x86_64.iso", "archlinux-x86_64.iso", "archlinux-bootstrap-2026.01.01-x86_64.tar.zst"]
    site.page(f"{iso}sha256sums.txt", gnu(site.images(iso, names)))
    site.index(f"{base}images/", ["latest/", "v20251215.467891/", "v20260101.480000/"], style="nginx")
    cloud = f"{base}images/v20260101.480000/Arch-Linux-x86_64-cloudimg.qcow2"
    site.page(f"{cloud}.SHA256", gnu({"Arch-Linux-x86_64-cloudimg.qcow2": site.image(cloud)}))
    return {("arch", X86): ("2026.01.01", iso + names[0]), ("arch-cloud", X86): ("20260101.480000", cloud)}


def cachy(site: Site) -> Found:
    base = "https://mirror.cachyos.org/ISO/desktop/"
    site.index(base, ["251129/", "260124/", "latest/"], style="table")
    url = f"{base}260124/cachyos-desktop-linux-260124.iso"
    site.page(f"{url}.sha256", gnu({"cachyos-desktop-linux-260124.iso": site.image(url)}))
    return {("cachy", X86): ("260124", url)}


def centos(site: Site) -> Found:
    found: Found = {}
    site.index("https://mirror.stream.centos.org/", ["9-stream/", "10-stream/", "SIGs/", "TIME"])
    site.index("https://cloud.centos.org/centos/", ["6/", "7/", "8/", "8-stream/", "9-stream/", "10-stream/"])
    for arch in (X86, ARM, "ppc64le", "s390x"):
        name = f"CentOS-Stream-10-latest-{arch}-dvd1.iso"
        url = f"https://mirror.stream.centos.org/10-stream/BaseOS/{arch}/iso/{name}"
        site.page(f"{url}.SHA256SUM", bsd({name: site.image(url)}))
        found["centos", arch] = ("10", url)
        folder = f"https://cloud.centos.org/centos/10-stream/{arch}/images/"
        middle = "" if arch == ARM else f"{arch}-"
        names = [f"CentOS-Stream-GenericCloud-{middle}10-{build}.{arch}.qcow2" for build in ("20251103.0", "20260110.0", "latest")]
        for name, content in site.images(folder, names).items():
            site.page(f"{folder}{name}.SHA256SUM", bsd({name: content}))
        site.index(folder, [each for name in names for each in (name, f"{name}.SHA256SUM")])
        found["centos-cloud", arch] = ("10", folder + names[1])
    return found


def coreos(site: Site) -> Found:
    base = "https://builds.coreos.fedoraproject.org/"
    arches: dict[str, object] = {}
    found: Found = {}
    for arch in (X86, ARM, "ppc64le", "s390x"):
        url = f"{base}prod/streams/stable/builds/43.20260105.3.0/{arch}/fedora-coreos-43.20260105.3.0-qemu.{arch}.qcow2.xz"
        disk = {"location": url, "signature": f"{url}.sig", "sha256": sha(site.image(url)), "uncompressed-sha256": "0" * 64}
        qemu = {"release": "43.20260105.3.0", "formats": {"qcow2.xz": {"disk": disk}}}
        arches[arch] = {"artifacts": {"aws": {"release": "1", "formats": {}}, "qemu": qemu}, "images": {}}
        found["coreos", arch] = ("43.20260105.3.0", url)
    site.page(f"{base}streams/stable.json", json.dumps({"stream": "stable", "metadata": {}, "architectures": arches}))
    return found


def debian(site: Site) -> Found:
    base, found = "https://cdimage.debian.org/debian-cd/", Found()
    for arch, theirs in (
        (X86, "amd64"),
        (ARM, "arm64"),
        ("arm", "armhf"),
        ("ppc64le", "ppc64el"),
        ("riscv64", "riscv64"),
        ("s390x", "s390x"),
    ):
        folder = f"{base}current/{theirs}/iso-cd/"
        names = [
            f"debian-13.3.0-{theirs}-netinst.iso",
            f"debian-edu-13.3.0-{theirs}-netinst.iso",
            f"debian-mac-13.3.0-{theirs}-netinst.iso",
        ]
        site.signed(site.page(f"{folder}SHA512SUMS", gnu(site.images(folder, names), "sha512")), ".sign")
        found["debian-installer", arch] = ("13.3.0", folder + names[0])
    folder = f"{base}current-live/amd64/iso-hybrid/"
    names = [f"debian-live-13.3.0-amd64-{desktop}.iso" for desktop in ("cinnamon", "gnome", "kde")]
    site.signed(site.page(f"{folder}SHA512SUMS", gnu(site.images(folder, names), "sha512")), ".sign")
    found["debian-live", X86] = ("13.3.0", folder + names[1])
    folder = "https://cloud.debian.org/images/cloud/trixie/latest/"
    kinds = ("generic", "genericcloud", "nocloud")
    names = [f"debian-13-{kind}-{theirs}.{form}" for kind in kinds for theirs in ("amd64", "arm64", "ppc64el") for form in ("qcow2", "raw")]
    site.page(f"{folder}SHA512SUMS", gnu(site.images(folder, names), "sha512"))
    for arch, theirs in ((X86, "amd64"), (ARM, "arm64"), ("ppc64le", "ppc64el")):
        found["debian-cloud", arch] = ("13", f"{folder}debian-13-generic-{theirs}.qcow2")
    return found


def fedora(site: Site) -> Found:
    base, rows, found = "https://download.fedoraproject.org/pub/fedora/linux/releases/", [], Found()
    for version in ("42", "43", "44 Beta"):
        for arch in (X86, ARM, "ppc64le", "s390x"):
            files = {
                "Workstation": ("Workstation", f"Workstation/{arch}/iso/Fedora-Workstation-Live-{version}-1.6.{arch}.iso"),
                "Cloud": ("Cloud_Base", f"Cloud/{arch}/images/Fedora-Cloud-Base-Generic-{version}-1.6.{arch}.qcow2"),
                "Cloud UKI": ("Cloud_Base", f"Cloud/{arch}/images/Fedora-Cloud-Base-UEFI-UKI-{version}-1.6.{arch}.qcow2"),
                "Server": ("Server", f"Server/{arch}/iso/Fedora-Server-dvd-{arch}-{version}-1.6.iso"),
            }
            for variant, (subvariant, path) in files.items():
                url = f"{base}{version.replace(' ', '_')}/{path}"
                content = site.image(url)
                row = {"version": version, "arch": arch, "link": url, "variant": variant.split()[0], "subvariant": subvariant}
                rows.append({**row, "sha256": sha(content), "size": str(len(content))})
                site.redirects[url] = f"https://mirror.example/fedora/{path}"
                site.files[site.redirects[url]] = content
            if arch in (X86, ARM):
                found["fedora", arch] = ("43", f"{base}43/{files['Workstation'][1].replace(version, '43')}")
            found["fedora-cloud", arch] = ("43", f"{base}43/{files['Cloud'][1].replace(version, '43')}")
    site.page("https://fedoraproject.org/releases.json", json.dumps(rows))
    return found


def flatcar(site: Site) -> Found:
    found: Found = {}
    for arch, theirs in ((X86, "amd64"), (ARM, "arm64")):
        base = f"https://stable.release.flatcar-linux.net/{theirs}-usr/"
        text = 'FLATCAR_BUILD=4459\nFLATCAR_BRANCH=2\nFLATCAR_VERSION=4459.2.2\nFLATCAR_VERSION_ID=4459.2.2\nFLATCAR_BUILD_ID=""\n'
        site.page(f"{base}current/version.txt", text)
        url = f"{base}4459.2.2/flatcar_production_qemu_uefi_image.img"
        site.page(f"{url}.DIGESTS", digests({"flatcar_production_qemu_uefi_image.img": site.image(url)}))
        found["flatcar", arch] = ("4459.2.2", url)
    return found
