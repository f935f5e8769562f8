FROM alpine
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc,required=true,mode=0400,uid=1000 true
RUN --mount=type=secret,id=TOKEN,env=TOKEN --mount=type=ssh,required ssh -T git@example.org
RUN --mount=type=tmpfs,target=/tmp,size=64m --mount=type=cache,target=/c,sharing=private,from=alpine,source=/x,readonly true
RUN --mount=target=.,rw --mount="type=bind,source=a b,target=/z" true
RUN --network=none --security=sandbox make test
RUN --network=host --device=vendor.com/gpu=all,required nvidia-smi
RUN --mount='type=cache,"target=/a,b"' true
