@echo off
rem Runs the command pseed, and builds it before its first run and whenever its sources changed.
rem JAVA_OPTS is handed to Java, for example set JAVA_OPTS=-Xmx8g.
setlocal EnableExtensions DisableDelayedExpansion
rem Programs come from PATH, not out of the folder where the command is used.
set "NoDefaultCurrentDirectoryInExePath=1"
set "ROOT=%~dp0"
set "TARGET=%ROOT%converter\target"
set "GPU=%ROOT%gpu\target"
set "STAMP=%TARGET%\pseed.stamp"
set "POWERSHELL=%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"

set "JAVA=java"
set "JAVAC=javac.exe"
if defined JAVA_HOME set "JAVA=%JAVA_HOME:"=%\bin\java"
if defined JAVA_HOME set "JAVAC=%JAVA_HOME:"=%\bin\javac.exe"
set "FOUND="
set "MAJOR=0"
for /f "tokens=2,3" %%u in ('call "%JAVA%" -version 2^>^&1') do if "%%u"=="version" set "FOUND=%%~v"
if not defined FOUND goto nojava
for /f "tokens=1 delims=.-+" %%v in ("%FOUND%") do set "MAJOR=%%v"
if %MAJOR% LSS 17 goto oldjava

if not exist "%STAMP%" goto build
if not exist "%TARGET%\lib\" goto build
if not exist "%GPU%\lib\" goto build
rem Without PowerShell nobody compares times; delete converter\target to build anew.
if not exist "%POWERSHELL%" goto run
"%POWERSHELL%" -NoProfile -Command "$s=(Get-Item -LiteralPath $env:STAMP).LastWriteTimeUtc; $n=@('pom.xml','.mvn','format-spec\pom.xml','onnx-op\pom.xml','converter\pom.xml','gpu\pom.xml','format-spec\src\main','onnx-op\src\main','onnx-op\src\build','converter\src\main','gpu\src\main\java','gpu\src\main\resources') | ForEach-Object { $p=Join-Path $env:ROOT $_; Get-Item -LiteralPath $p; Get-ChildItem -Recurse -LiteralPath $p } | Where-Object { $_.LastWriteTimeUtc -gt $s }; if ($n) { exit 1 } else { exit 0 }" <nul
if not errorlevel 1 goto run

:build
set "MAVEN="
for %%m in (mvn.cmd mvn.bat mvn.exe) do if not defined MAVEN set "MAVEN=%%~$PATH:m"
if not defined MAVEN goto nomaven
if defined JAVA_HOME goto localjavac
for %%m in (%JAVAC%) do if "%%~$PATH:m"=="" goto nojavac
goto compile
:localjavac
if not exist "%JAVAC%" goto nojavac

:compile
echo pseed: building the command, once (a few minutes the first time)>&2
if not exist "%TARGET%\" mkdir "%TARGET%"
if exist "%TARGET%\lib\" rmdir /s /q "%TARGET%\lib"
if exist "%GPU%\lib\" rmdir /s /q "%GPU%\lib"
rem The stamp is as old as the start of the build: what is edited meanwhile is built next time.
type nul > "%STAMP%.new"
call "%MAVEN%" -q -B -Dstyle.color=never -f "%ROOT%pom.xml" -pl gpu -am -Dmaven.test.skip=true -Dspotless.check.skip=true package 1>&2
if errorlevel 1 goto failed
move /y "%STAMP%.new" "%STAMP%" >nul

:run
rem Streams of a GPU that share a queue wait for one another; 8 queues are usual, 32 the most.
if not defined CUDA_DEVICE_MAX_CONNECTIONS set "CUDA_DEVICE_MAX_CONNECTIONS=32"
set "NATIVE="
if %MAJOR% GEQ 22 set "NATIVE=--enable-native-access=ALL-UNNAMED"
rem Whether people read the progress on a terminal; where that cannot be asked, it is written as for a file.
set "TERMINAL=false"
if not exist "%POWERSHELL%" goto start
"%POWERSHELL%" -NoProfile -Command "if ([Console]::IsErrorRedirected) { exit 1 } else { exit 0 }" <nul
if not errorlevel 1 set "TERMINAL=true"

:start
"%JAVA%" %NATIVE% -Dpseed.terminal=%TERMINAL% %JAVA_OPTS% -cp "%TARGET%\classes;%GPU%\classes;%TARGET%\lib\*;%GPU%\lib\*" io.pseed.converter.cli.PseedCommand %*
exit /b %ERRORLEVEL%

:nojava
echo pseed: Java 17 or newer is missing: there is no "%JAVA%"; set JAVA_HOME to its folder, or install it with: winget install EclipseAdoptium.Temurin.17.JDK>&2
exit /b 1

:oldjava
echo pseed: Java 17 or newer is needed, "%JAVA%" is version %FOUND%; set JAVA_HOME to a newer one, or install it with: winget install EclipseAdoptium.Temurin.17.JDK>&2
exit /b 1

:nojavac
echo pseed: a JDK with javac is needed to build the command, only a Java runtime was found; install it with: winget install EclipseAdoptium.Temurin.17.JDK>&2
exit /b 1

:nomaven
echo pseed: Maven, which builds the command before its first run, is missing; get it from https://maven.apache.org>&2
exit /b 1

:failed
echo pseed: the build failed; the lines above say why>&2
exit /b 1
