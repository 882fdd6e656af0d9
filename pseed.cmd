@echo off
rem Runs the command pseed, and builds it before its first run and whenever its sources changed.
rem JAVA_OPTS is handed to Java, for example set JAVA_OPTS=-Xmx8g.
setlocal
set "ROOT=%~dp0"
set "TARGET=%ROOT%converter\target"
set "GPU=%ROOT%gpu\target"
set "STAMP=%TARGET%\pseed.stamp"

set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java"
"%JAVA%" -version >nul 2>&1
if errorlevel 1 (
  echo pseed: Java 17 or newer is missing; install it with: winget install EclipseAdoptium.Temurin.17.JDK>&2
  exit /b 1
)
for /f "tokens=3" %%v in ('""%JAVA%" -version 2^>^&1 ^| findstr /i " version ""') do set "FOUND=%%~v"
for /f "tokens=1 delims=.-+" %%v in ("%FOUND%") do set "MAJOR=%%v"
if not defined MAJOR set "MAJOR=0"
if %MAJOR% LSS 17 (
  echo pseed: Java 17 or newer is needed, found version %FOUND%; install it with: winget install EclipseAdoptium.Temurin.17.JDK>&2
  exit /b 1
)

if not exist "%STAMP%" goto build
if not exist "%TARGET%\lib" goto build
if not exist "%GPU%\lib" goto build
powershell -NoProfile -Command "$s=(Get-Item '%STAMP%').LastWriteTimeUtc; $n=@('pom.xml','format-spec\pom.xml','onnx-op\pom.xml','converter\pom.xml','gpu\pom.xml','format-spec\src\main','onnx-op\src\main\java','converter\src\main','gpu\src\main\java','gpu\src\main\resources') | ForEach-Object { Get-Item (Join-Path '%ROOT%' $_); Get-ChildItem -Recurse (Join-Path '%ROOT%' $_) } | Where-Object { $_.LastWriteTimeUtc -gt $s }; if ($n) { exit 1 } else { exit 0 }"
if errorlevel 1 goto build
goto run

:build
where mvn >nul 2>&1
if errorlevel 1 (
  echo pseed: Maven, which builds the command before its first run, is missing; get it from https://maven.apache.org>&2
  exit /b 1
)
echo pseed: building the command, once ^(a few minutes the first time^)>&2
if not exist "%TARGET%" mkdir "%TARGET%"
if exist "%TARGET%\lib" rmdir /s /q "%TARGET%\lib"
if exist "%GPU%\lib" rmdir /s /q "%GPU%\lib"
type nul > "%STAMP%.new"
call mvn -q -B -Dstyle.color=never -f "%ROOT%pom.xml" -pl gpu -am -Dmaven.test.skip=true -Dspotless.check.skip=true package 1>&2
if errorlevel 1 (
  echo pseed: the build failed; the lines above say why>&2
  exit /b 1
)
move /y "%STAMP%.new" "%STAMP%" >nul

:run
set "NATIVE="
if not defined CUDA_DEVICE_MAX_CONNECTIONS set "CUDA_DEVICE_MAX_CONNECTIONS=32"
if %MAJOR% GEQ 22 set "NATIVE=--enable-native-access=ALL-UNNAMED"
set "TERMINAL=true"
powershell -NoProfile -Command "if ([Console]::IsErrorRedirected) { exit 1 } else { exit 0 }"
if errorlevel 1 set "TERMINAL=false"
"%JAVA%" %NATIVE% -Dpseed.terminal=%TERMINAL% %JAVA_OPTS% -cp "%TARGET%\classes;%GPU%\classes;%TARGET%\lib\*;%GPU%\lib\*" io.pseed.converter.cli.PseedCommand %*
exit /b %ERRORLEVEL%
