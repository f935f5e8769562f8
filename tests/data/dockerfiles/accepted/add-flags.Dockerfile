FROM scratch
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.org/linux.tar.xz /
ADD --keep-git-dir=true https://github.com/moby/buildkit.git#v0.10.1 /buildkit
ADD --unpack=false --link --chmod=0755 a.tar /
ADD --chown=me:us --exclude=*.o a b c/
COPY --parents a/b ./c/d /e/
COPY --link=false --chmod=u=rwX,go=rX a /a
