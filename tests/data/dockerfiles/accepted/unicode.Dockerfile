FROM scratch
# Grüße, 你好
LABEL title="Grüße 你好" emoji=🐳
RUN echo 'à côté'
