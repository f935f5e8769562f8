ARG TAG=v1.2.3-rc.1
ARG REGISTRY=registry.example.org
FROM ${REGISTRY}/app:${TAG#v} AS one
FROM ${UNSET:-alpine}:${TAG%%-*} AS two
FROM --platform=linux/${ARCH:-amd64} ${REGISTRY}/a:${TAG/rc/beta} AS three
ARG TAG
ENV X=${TAG##*.} Y=${TAG//./_} Z="${TAG:?is needed}" W=\${TAG}
WORKDIR /opt/${X:+$Y}
COPY a$X "b ${Y}" /dest/
EXPOSE $PORT 8080-8090/udp 53/udp
USER ${USER_ID:-1000}:${GROUP_ID:-1000}
STOPSIGNAL ${SIGNAL:-SIGTERM}
VOLUME /data $X ["/not", "json"
