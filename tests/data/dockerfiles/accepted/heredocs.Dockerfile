# syntax=docker/dockerfile:1.4
FROM alpine
RUN <<EOF
set -e
# no comment of the Dockerfile
FROM nothing
echo "one \
two"
EOF
RUN <<-'SCRIPT' bash -eux
	echo $HOME
	SCRIPT
RUN <<ONE cat > /one && <<TWO cat > /two
first
ONE
second
TWO
COPY <<"robots.txt" <<humans.txt /usr/share/www/
User-agent: *
robots.txt
made by $NAME
humans.txt
RUN python3 - << "END OF FILE"
print("<<EOF")
END OF FILE
RUN echo 'no <<EOF here' && cat<<EOF
RUN cat 3<<EOF
third descriptor
EOF
RUN ["sh", "-c", "echo <<EOF"]
ONBUILD RUN <<EOF
echo later
EOF
