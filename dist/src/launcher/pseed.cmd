@echo off
rem Runs the command pseed on Windows. JAVA_OPTS is handed to Java, for example set JAVA_OPTS=-Xmx8g.
setlocal
set "HOME_LIB=%~dp0..\lib"
if not exist "%HOME_LIB%" (
  echo pseed: %HOME_LIB% is missing; unpack the whole archive and leave bin beside lib>&2
  exit /b 1
)

set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java"
"%JAVA%" -version >nul 2>&1
if errorlevel 1 (
  echo pseed: Java 17 or newer is missing; install it with: winget install EclipseAdoptium.Temurin.17.JRE>&2
  exit /b 1
)
for /f "tokens=3" %%v in ('""%JAVA%" -version 2^>^&1 ^| findstr /i " version ""') do set "FOUND=%%~v"
for /f "tokens=1 delims=.-+" %%v in ("%FOUND%") do set "MAJOR=%%v"
if not defined MAJOR set "MAJOR=0"
if %MAJOR% LSS 17 (
  echo pseed: Java 17 or newer is needed, found version %FOUND%; install it with: winget install EclipseAdoptium.Temurin.17.JRE>&2
  exit /b 1
)

set "NATIVE="
if %MAJOR% GEQ 22 set "NATIVE=--enable-native-access=ALL-UNNAMED"
set "TERMINAL=true"
powershell -NoProfile -Command "if ([Console]::IsErrorRedirected) { exit 1 } else { exit 0 }"
if errorlevel 1 set "TERMINAL=false"
"%JAVA%" %NATIVE% -Dpseed.terminal=%TERMINAL% %JAVA_OPTS% -cp "%HOME_LIB%\*" io.pseed.converter.cli.PseedCommand %*
exit /b %ERRORLEVEL%
