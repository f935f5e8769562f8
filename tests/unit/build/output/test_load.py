from quarterdeck.build.output.load import names_by_platform
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import host_arch

HOST = Platform.parse(host_arch().oci)
OTHER = Platform.parse("linux/s390x")


def test_the_hosts_platform_has_the_name_and_others_say_what_they_are():
    called = names_by_platform([OTHER, HOST], ["127.0.0.1:5000/app:1", "app"])
    assert called[HOST] == ["127.0.0.1:5000/app:1", "docker.io/library/app:latest"]
    assert called[OTHER] == ["127.0.0.1:5000/app:1-s390x", "docker.io/library/app:latest-s390x"]


def test_without_the_hosts_platform_the_first_has_the_name():
    called = names_by_platform([OTHER, Platform.parse("linux/arm/v7")], ["app:1"])
    assert [names[0] for names in called.values()] == ["docker.io/library/app:1", "docker.io/library/app:1-arm-v7"]
