#   SyntaX   =  docker/dockerfile:1-labs experimental  
# check=skip=JSONArgsRecommended;error=true
# escape = \
FROM scratch
# escape=`
LABEL a=b\ c
