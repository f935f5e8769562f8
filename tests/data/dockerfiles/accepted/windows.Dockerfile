# escape=`
FROM mcr.microsoft.com/windows/servercore:ltsc2022
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop';"]
WORKDIR C:\app\
COPY testfile.txt C:\
RUN Invoke-WebRequest -Uri https://example.org/a.zip -OutFile c:\a.zip ; `
    # a comment in between
    Expand-Archive c:\a.zip -DestinationPath c:\tools ; `
    Remove-Item c:\a.zip
ENV DIR="C:\Program Files" `
    NAME=a` b
ENTRYPOINT ["C:\\app\\run.exe"]
