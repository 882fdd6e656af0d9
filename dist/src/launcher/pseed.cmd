@echo off
rem Runs the command pseed on Windows. JAVA_OPTS is handed to Java, for example set JAVA_OPTS=-Xmx8g.
setlocal EnableExtensions DisableDelayedExpansion
rem Programs come from PATH, not out of the folder where the command is used.
set "NoDefaultCurrentDirectoryInExePath=1"
set "HOME_LIB=%~dp0..\lib"
if not exist "%HOME_LIB%\" goto nolib

set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME:"=%\bin\java"
set "FOUND="
set "MAJOR=0"
for /f "tokens=2,3" %%u in ('call "%JAVA%" -version 2^>^&1') do if "%%u"=="version" set "FOUND=%%~v"
if not defined FOUND goto nojava
for /f "tokens=1 delims=.-+" %%v in ("%FOUND%") do set "MAJOR=%%v"
if %MAJOR% LSS 17 goto oldjava

set "NATIVE="
if %MAJOR% GEQ 22 set "NATIVE=--enable-native-access=ALL-UNNAMED"
rem Whether people read the progress on a terminal; where that cannot be asked, it is written as for a file.
set "TERMINAL=false"
set "POWERSHELL=%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"
if not exist "%POWERSHELL%" goto run
"%POWERSHELL%" -NoProfile -Command "if ([Console]::IsErrorRedirected) { exit 1 } else { exit 0 }" <nul
if not errorlevel 1 set "TERMINAL=true"

:run
"%JAVA%" %NATIVE% -Dpseed.terminal=%TERMINAL% %JAVA_OPTS% -cp "%HOME_LIB%\*" io.pseed.converter.cli.PseedCommand %*
exit /b %ERRORLEVEL%

:nolib
echo pseed: "%HOME_LIB%" is missing; unpack the whole archive and leave bin beside lib>&2
exit /b 1

:nojava
echo pseed: Java 17 or newer is missing: there is no "%JAVA%"; set JAVA_HOME to its folder, or install it with: winget install EclipseAdoptium.Temurin.17.JRE>&2
exit /b 1

:oldjava
echo pseed: Java 17 or newer is needed, "%JAVA%" is version %FOUND%; set JAVA_HOME to a newer one, or install it with: winget install EclipseAdoptium.Temurin.17.JRE>&2
exit /b 1
