import pytest

from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.mounts import Device, Mount, MountType, Sharing, devices_of, parse_device, parse_mount
from quarterdeck.build.dockerfile.parser import parse


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("target=/x", Mount(target="/x")),
        ("from=build,src=a,dst=/b,rw", Mount(source_from="build", source="a", target="/b", readonly=False)),
        ("type=cache,target=/c", Mount(MountType.CACHE, target="/c", readonly=False)),
        (
            "TYPE=Cache,id=i,destination=/c,sharing=LOCKED,ro=true,mode=0755,uid=1,gid=2",
            Mount(MountType.CACHE, target="/c", id="i", sharing=Sharing.LOCKED, readonly=True, mode=0o755, uid=1, gid=2),
        ),
        ("type=tmpfs,target=/t,size=1.5g", Mount(MountType.TMPFS, target="/t", size=1610612736, readonly=False)),
        ("type=secret,id=token,env=T,required", Mount(MountType.SECRET, id="token", env="T", required=True)),
        ("type=ssh,required=false", Mount(MountType.SSH)),
        ('type=cache,"target=/a,b"', Mount(MountType.CACHE, target="/a,b", readonly=False)),
    ],
)
def test_fields(text, mount):
    assert parse_mount(text) == mount


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty value"),
        ("type=volume", "type in --mount is bind, cache, tmpfs, secret, ssh, not 'volume'"),
        ("target", "'target' in --mount is not key=value"),
        ("foo=bar", "'foo=bar' is no field"),
        ("ro=maybe", "ro in --mount is true or false"),
        ("type=cache,sharing=all", "sharing in --mount"),
        ("type=bind,sharing=shared", "has no sharing"),
        ("type=bind,required", "has no required"),
        ("size=1m", "has no size"),
        ("type=tmpfs,size=much", "size in --mount"),
        ("type=tmpfs,size=1e999", "size in --mount"),
        ("type=tmpfs,mode=0700", "has no mode"),
        ("type=cache,mode=999", "mode in --mount is an octal number"),
        ("type=cache,uid=4294967296", "uid in --mount is a number"),
        ("type=secret", "a secret needs"),
        ("type=secret,id=a,src=b", "not both"),
        ("type=secret,id=a,from=b", "a secret has no from"),
        ('target="x"', "a quote stands inside"),
        ('"target=x', "has no end"),
    ],
)
def test_wrong_fields(text, fault):
    with pytest.raises(SyntaxFault) as caught:
        parse_mount(text)
    assert fault in caught.value.message


def test_variables_in_fields_are_expanded():
    assert parse_mount("type=cache,id=$ID,target=/x", lambda text: text.replace("$ID", "go-arm64")).id == "go-arm64"


def test_devices():
    run = parse("FROM a\nRUN --device=vendor.com/gpu=all,required --device=name=b,required=false true").instructions[1]
    assert devices_of(run) == (Device("vendor.com/gpu=all", required=True), Device("b"))


@pytest.mark.parametrize("text", ["a,b", "name=a,name=b", "a,required=perhaps", ""])
def test_wrong_devices(text):
    with pytest.raises(SyntaxFault):
        parse_device(text)
