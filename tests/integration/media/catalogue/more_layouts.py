"""The rest of the publishers' sites, from F to Z."""

import json

from tests.integration.media.catalogue import layouts
from tests.integration.media.catalogue.layouts import ARM, X86, Found, Layout
from tests.integration.media.catalogue.site import Site, bsd, digests, gnu, sha


def freebsd(site: Site) -> Found:
    base, found = "https://download.freebsd.org/releases/", Found()
    site.index(f"{base}VM-IMAGES/", ["13.5-RELEASE/", "14.3-RELEASE/", "15.0-RELEASE/", "README.txt"], style="nginx")
    for arch, folder, theirs in ((X86, "amd64/amd64", "amd64"), (ARM, "arm64/aarch64", "arm64-aarch64")):
        isos = f"{base}{folder}/ISO-IMAGES/"
        site.index(isos, ["13.5/", "14.3/", "15.0/"], style="nginx")
        name = f"FreeBSD-15.0-RELEASE-{theirs}-"
        files = site.images(f"{isos}15.0/", [f"{name}{kind}" for kind in ("bootonly.iso", "disc1.iso", "disc1.iso.xz", "dvd1.iso")])
        site.page(f"{isos}15.0/CHECKSUM.SHA256-FreeBSD-15.0-RELEASE-{theirs}", bsd(files))
        found["freebsd", arch] = ("15.0", f"{isos}15.0/{name}disc1.iso")
        images = f"{base}VM-IMAGES/15.0-RELEASE/{folder.rpartition('/')[2]}/Latest/"
        files = site.images(
            images, [f"{name}{kind}.xz" for kind in ("BASIC-CLOUDINIT-ufs.qcow2", "BASIC-CLOUDINIT-zfs.qcow2", "ufs.qcow2")]
        )
        site.page(f"{images}CHECKSUM.SHA256", bsd(files))
        found["freebsd-cloud", arch] = ("15.0", f"{images}{name}BASIC-CLOUDINIT-ufs.qcow2.xz")
    return found


def gentoo(site: Site) -> Found:
    found: Found = {}
    for arch, theirs in ((X86, "amd64"), (ARM, "arm64")):
        base = f"https://distfiles.gentoo.org/releases/{theirs}/autobuilds/"
        paths = {
            "iso": f"20260111T165211Z/livegui-{theirs}-20260111T165211Z.iso",
            "qcow2": f"20260111T165211Z/di-{theirs}-cloudinit-20260111T165211Z.qcow2",
        }
        for kind, path in paths.items():
            other = path.replace("livegui", "install").replace("cloudinit", "console")
            content = site.image(base + path)
            lines = f"# Latest as of Sun, 11 Jan 2026 22:45:00 +0000\n# ts=1768171500\n{other} 1500\n{path} {len(content)}\n"
            site.signed(site.page(f"{base}latest-{kind}.txt", lines))
            name = path.rpartition("/")[2]
            site.signed(site.page(f"{base}{path}.DIGESTS", digests({name: content})))
            site.signed(site.page(f"{base}{path}.sha256", f"# SHA256 HASH\n{gnu({name: content})}"))
        found["gentoo-cloud", arch] = ("20260111T165211Z", base + paths["qcow2"])
        found["gentoo", arch] = ("20260111T165211Z", base + paths["iso" if arch == X86 else "qcow2"])
    return found


def kali(site: Site) -> Found:
    base = "https://cdimage.kali.org/current/"
    names = [
        f"kali-linux-2025.4-{kind}-{arch}.iso{end}"
        for kind in ("installer", "live")
        for arch in ("amd64", "arm64")
        for end in ("", ".torrent")
    ]
    site.signed(site.page(f"{base}SHA256SUMS", gnu(site.images(base, names))), ".gpg")
    return {("kali", arch): ("2025.4", f"{base}kali-linux-2025.4-live-{theirs}.iso") for arch, theirs in ((X86, "amd64"), (ARM, "arm64"))}


def mint(site: Site) -> Found:
    base = "https://mirrors.kernel.org/linuxmint/"
    site.index(f"{base}stable/", ["21.3/", "22/", "22.1/", "22.3/"])
    names = [f"linuxmint-22.3-{desktop}-64bit.iso" for desktop in ("cinnamon", "mate", "xfce")]
    site.signed(site.page(f"{base}stable/22.3/sha256sum.txt", gnu(site.images(f"{base}stable/22.3/", names), star="*")), ".gpg")
    names = [f"lmde-{version}-cinnamon-{bits}bit.iso" for version in ("6", "7") for bits in ("32", "64")]
    site.signed(site.page(f"{base}debian/sha256sum.txt", gnu(site.images(f"{base}debian/", names), star="*")), ".gpg")
    return {
        ("mint", X86): ("22.3", f"{base}stable/22.3/linuxmint-22.3-cinnamon-64bit.iso"),
        ("lmde", X86): ("7", f"{base}debian/lmde-7-cinnamon-64bit.iso"),
    }


def manjaro(site: Site) -> Found:
    url = "https://download.manjaro.org/kde/26.0.1/manjaro-kde-26.0.1-260110-linux618.iso"
    site.page(f"{url}.sha512", gnu({url.rpartition("/")[2]: site.image(url)}, "sha512"))
    flavour = {
        "image": url,
        "checksum": f"{url}.sha512",
        "signature": f"{url}.sig",
        "minimal": {"image": url.replace("-26", "-minimal-26")},
    }
    info = {"official": {"gnome": {"image": url.replace("kde", "gnome")}, "plasma": flavour}, "community": {}}
    site.page("https://gitlab.manjaro.org/web/iso-info/-/raw/master/file-info.json", json.dumps(info))
    return {("manjaro", X86): ("26.0.1", url)}


def mx(site: Site) -> Found:
    base = "https://mirror.umd.edu/mxlinux-iso/MX/Final/Xfce/"
    names = ["MX-23.6_x64.iso", "MX-25_Xfce_x64.iso", "MX-25.1_Xfce_x64.iso", "MX-25.1_Xfce_ahs_x64.iso"]
    site.index(base, [each for name in names for each in (name, f"{name}.sha256", f"{name}.sig", f"{name}.zsync")])
    site.page(f"{base}{names[2]}.sha256", gnu({names[2]: site.image(base + names[2])}))
    return {("mx", X86): ("25.1", base + names[2])}


def bsds(site: Site) -> Found:
    base, found = "https://cdn.netbsd.org/pub/NetBSD/", Found()
    site.index(base, ["NetBSD-9.4/", "NetBSD-10.0/", "NetBSD-10.1/", "NetBSD-current/", "NetBSD-daily/"])
    names = {arch: f"NetBSD-10.1-{theirs}.iso" for arch, theirs in ((X86, "amd64"), ("i386", "i386"), (ARM, "evbarm-aarch64"))}
    site.page(f"{base}NetBSD-10.1/images/SHA512", bsd(site.images(f"{base}NetBSD-10.1/images/", names.values()), "sha512"))
    found |= {("netbsd", arch): ("10.1", f"{base}NetBSD-10.1/images/{name}") for arch, name in names.items()}
    base = "https://cdn.openbsd.org/pub/OpenBSD/"
    site.index(base, ["7.7/", "7.8/", "patches/", "snapshots/", "songs/"], style="nginx")
    for arch, theirs in ((X86, "amd64"), (ARM, "arm64"), ("i386", "i386")):
        folder = f"{base}7.8/{theirs}/"
        listing = bsd(site.images(folder, ["bsd.rd", "cd78.iso", "install78.img", "install78.iso"]))
        site.files[f"{folder}SHA256.sig"] = site.signer.signify(listing.encode())
        found["openbsd", arch] = ("7.8", f"{folder}install78.iso")
    return found


def nixos(site: Site) -> Found:
    keys = "".join(f"<Contents><Key>nixos-{name}</Key><Size>0</Size></Contents>" for name in ("25.05", "25.11", "25.11-small", "unstable"))
    site.page(
        "https://nix-channels.s3.amazonaws.com/?delimiter=/&prefix=nixos-",
        f'<?xml version="1.0"?><ListBucketResult>{keys}</ListBucketResult>',
    )
    found: Found = {}
    for arch in (X86, ARM):
        url = f"https://channels.nixos.org/nixos-25.11/latest-nixos-graphical-{arch}-linux.iso"
        real = f"https://releases.nixos.org/nixos/25.11/nixos-25.11.3000.abc/nixos-graphical-25.11.3000.abc-{arch}-linux.iso"
        site.page(f"{real}.sha256", gnu({real.rpartition("/")[2]: site.image(real)}))
        site.redirects |= {url: real, f"{url}.sha256": f"{real}.sha256"}
        found["nixos", arch] = ("25.11", url)
    return found


def rocky(site: Site) -> Found:
    base, found = "https://dl.rockylinux.org/pub/rocky/", Found()
    site.index(base, ["8/", "8.10/", "9/", "9.7/", "10/", "10.1/", "RPM-GPG-KEY-Rocky-10", "fullfilelist"], style="nginx")
    for arch in (X86, ARM, "ppc64le", "s390x"):
        if arch in (X86, ARM):
            url = f"{base}10/live/{arch}/Rocky-10-Workstation-{arch}-latest.iso"
            site.page(f"{url}.CHECKSUM", bsd({url.rpartition("/")[2]: site.image(url)}))
            found["rocky", arch] = ("10", url)
        folder = f"{base}10/images/{arch}/"
        names = [f"Rocky-10-GenericCloud-{kind}.{arch}.qcow2" for kind in ("Base-10.0-20250609.1", "Base-10.1-20260201.0", "Base.latest")]
        site.index(folder, [each for name in names for each in (name, f"{name}.CHECKSUM", f"{name}.CHECKSUM.asc")], style="nginx")
        site.signed(site.page(f"{folder}{names[1]}.CHECKSUM", bsd(site.images(folder, [names[1]]))), ".asc")
        found["rocky-cloud", arch] = ("10", folder + names[1])
    return found


def slackware(site: Site) -> Found:
    base = "https://mirrors.slackware.com/slackware/slackware-iso/"
    site.index(base, [f"slackware{bits}-{version}-iso/" for bits in ("", "64") for version in ("14.2", "15.0")])
    url = f"{base}slackware64-15.0-iso/slackware64-15.0-install-dvd.iso"
    site.image(url)
    return {("slack", X86): ("15.0", url)}


def suse(site: Site) -> Found:
    states = [("16.1", "Beta"), ("16.0", "Stable"), ("15.6", "Stable"), ("15.5", "EOL")]
    leap = [
        {"name": "openSUSE Leap", "version": version, "state": state, "upgrade-weight": index}
        for index, (version, state) in enumerate(states)
    ]
    site.page("https://get.opensuse.org/api/v0/distributions.json", json.dumps({"Tumbleweed": [{"version": "20260110"}], "Leap": leap}))
    base, found = "https://download.opensuse.org/distribution/leap/16.0/", Found()
    for arch in (X86, ARM, "ppc64le", "s390x"):
        paths = {"opensuse-cloud": f"appliances/Leap-16.0-Minimal-VM.{arch}-Cloud.qcow2"} if arch in (X86, ARM) else {}
        for name, path in {**paths, "suse": f"offline/Leap-16.0-offline-installer-{arch}.install.iso"}.items():
            sums = site.page(
                f"{base}{path}.sha256", gnu({path.rpartition("/")[2].replace(".install", "-Build171.1.install"): site.image(base + path)})
            )
            site.signed(sums, ".asc")
            found[name, arch] = ("16.0", base + path)
    return found


def tails(site: Site) -> Found:
    paths = []
    for kind in ("img", "iso"):
        url = f"https://download.tails.net/tails/stable/tails-amd64-7.3.1/tails-amd64-7.3.1.{kind}"
        content = site.image(url)
        paths.append({"type": kind, "target-files": [{"url": url, "sha256": sha(content), "size": len(content)}]})
    page = {"build-target": "amd64", "installations": [{"version": "7.3.1", "installation-paths": paths}]}
    site.page("https://tails.net/install/v2/Tails/amd64/stable/latest.json", json.dumps(page))
    return {("tails", X86): ("7.3.1", "https://download.tails.net/tails/stable/tails-amd64-7.3.1/tails-amd64-7.3.1.iso")}


def ubuntu(site: Site) -> Found:
    states = [("26.04", "Active Development"), ("25.10", "Current Stable Release"), ("24.04", "Supported"), ("14.04", "Obsolete")]
    series = {"total_size": 4, "entries": [{"name": "x", "version": version, "status": state} for version, state in states]}
    site.page("https://api.launchpad.net/devel/ubuntu/series", json.dumps(series))
    found: Found = {}
    for name in ("kubuntu", "xubuntu"):
        folder = f"https://cdimage.ubuntu.com/{name}/releases/25.10/release/"
        site.signed(
            site.page(
                f"{folder}SHA256SUMS",
                gnu(site.images(folder, [f"{name}-25.10-desktop-amd64.iso", f"{name}-25.10-minimal-amd64.iso"]), star="*"),
            ),
            ".gpg",
        )
        found[name, X86] = ("25.10", f"{folder}{name}-25.10-desktop-amd64.iso")
    for release, version in (("25.10", "25.10"), ("24.04", "24.04.3")):
        for arch, theirs, folder in (
            (X86, "amd64", f"https://releases.ubuntu.com/{release}/"),
            (ARM, "arm64", f"https://cdimage.ubuntu.com/releases/{release}/release/"),
        ):
            names = [f"ubuntu-{version}-{kind}-{theirs}.iso" for kind in ("desktop", "live-server")]
            site.signed(site.page(f"{folder}SHA256SUMS", gnu(site.images(folder, names), star="*")), ".gpg")
            if release == "25.10":
                found |= {("ubuntu", arch): (version, folder + names[0]), ("ubuntus", arch): (version, folder + names[1])}
    return found | ubuntu_cloud(site)


def ubuntu_cloud(site: Site) -> Found:
    base, products, found = "https://cloud-images.ubuntu.com/releases", {}, Found()
    arches = {X86: "amd64", ARM: "arm64", "arm": "armhf", "ppc64le": "ppc64el", "riscv64": "riscv64", "s390x": "s390x"}
    for release, supported in (("24.04", True), ("25.04", False), ("25.10", True)):
        for arch, theirs in arches.items():
            versions = {}
            for build in ("20251031", "20260108.1"):
                path = f"server/releases/{release}/release-{build}/ubuntu-{release}-server-cloudimg-{theirs}.img"
                content = site.image(f"{base}/{path}")
                items = {"disk1.img": {"ftype": "disk1.img", "path": path, "sha256": sha(content), "size": len(content)}}
                versions[build] = {
                    "label": "release",
                    "items": {**items, "manifest": {"ftype": "manifest", "path": "x", "sha256": "", "size": 1}},
                }
                if release == "25.10":
                    found["ubuntu-cloud", arch] = (release, f"{base}/{path}")
            product = {"arch": theirs, "version": release, "supported": supported, "release": "x", "versions": versions}
            products[f"com.ubuntu.cloud:server:{release}:{theirs}"] = product
    index = {"format": "products:1.0", "content_id": "com.ubuntu.cloud:released:download", "products": products}
    site.signed(site.page(f"{base}/streams/v1/com.ubuntu.cloud:released:download.sjson", json.dumps(index, indent=1)))
    return found


def zima(site: Site) -> Found:
    base, assets = "https://github.com/IceWhaleTech/ZimaOS/releases/download/1.5.4/", []
    for name in (
        "images-checksums.txt",
        "zimaos-x86_64-1.5.4.raucb",
        "zimaos-x86_64-1.5.4_installer.img",
        "zimaos-x86_64-1.5.4_installer.iso",
    ):
        content = site.image(base + name)
        assets.append({"name": name, "size": len(content), "digest": f"sha256:{sha(content)}", "browser_download_url": base + name})
    site.page("https://api.github.com/repos/IceWhaleTech/ZimaOS/releases/latest", json.dumps({"tag_name": "1.5.4", "assets": assets}))
    url = f"{base}zimaos-x86_64-1.5.4_installer.iso"
    site.redirects[url] = "https://objects.example/zimaos"
    site.files[site.redirects[url]] = site.files[url]
    return {("zima", X86): ("1.5.4", url)}


def zorin(site: Site) -> Found:
    base = "https://mirrors.dotsrc.org/zorinos/"
    site.index(base, ["16/", "17/", "18/"])
    names = [f"Zorin-OS-18-{edition}-64-bit{end}.iso" for edition in ("Core", "Education") for end in ("", "-r1", "-r2")]
    site.page(f"{base}18/SHA256SUMS.txt", gnu(site.images(f"{base}18/", names)))
    return {("zorin", X86): ("18", f"{base}18/Zorin-OS-18-Core-64-bit-r2.iso")}


LAYOUTS: tuple[Layout, ...] = (
    *(layouts.alma, layouts.alpine, layouts.arch, layouts.cachy, layouts.centos, layouts.coreos, layouts.debian, layouts.fedora),
    *(layouts.flatcar, freebsd, gentoo, kali, mint, manjaro, mx, bsds, nixos, rocky, slackware, suse, tails, ubuntu, zima, zorin),
)


def build_all(site: Site) -> Found:
    """Lay out all publishers; returns what must be found, by name and architecture."""
    return {key: value for layout in LAYOUTS for key, value in layout(site).items()}
