import pytest

from quarterdeck.build.platform import Platform
from quarterdeck.build.run.cache import for_platform

ARM = Platform.parse("linux/arm/v7")


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("type=registry,ref=app:cache", "type=registry,ref=app:cache-linux-arm-v7"),
        ("type=registry,ref=127.0.0.1:5000/app,mode=max", "type=registry,ref=127.0.0.1:5000/app:cache-linux-arm-v7,mode=max"),
        ("app:cache", "app:cache-linux-arm-v7"),
        ("type=local,dest=/cache/", "type=local,dest=/cache/linux-arm-v7"),
        ("type=local,src=cache", "type=local,src=cache/linux-arm-v7"),
        ("type=gha,scope=main", "type=gha,scope=main-linux-arm-v7"),
        ("type=inline", "type=inline"),
        ("type=registry,ref=BAD NAME", "type=registry,ref=BAD NAME"),
        (f"app@sha256:{'0' * 64}", f"app@sha256:{'0' * 64}"),
    ],
)
def test_each_of_several_platforms_has_a_cache_of_its_own(text, own):
    assert for_platform(text, ARM, several=True) == own
    assert for_platform(text, ARM, several=False) == text
