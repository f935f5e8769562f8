FROM scratch
RUN echo a\\
RUN echo b \ 	
   c
RUN echo d \
# comment with a backslash \
   # another
   e
COPY a\ b /c/
