FROM scratch
RUN [ -f /etc/passwd ] && echo yes
RUN ["a", "b\n\u00e9"]
CMD ['single', 'quotes']
CMD []
ENTRYPOINT   [ "spaces" , "inside" ]  
VOLUME ["/a", "/b"]
COPY ["a", "b c", "d/"]
RUN ["a",]
CMD ["unclosed"
RUN
