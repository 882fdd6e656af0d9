"""python voice.py MODEL.onnx FILE.wav: says when somebody speaks; 16 kHz, 16 bits, mono."""
import sys
import wave

import numpy
import onnxruntime

CHUNK, CONTEXT, SURE, PAUSE = 512, 64, 0.5, 5

with wave.open(sys.argv[2]) as wav:
    samples = numpy.frombuffer(wav.readframes(wav.getnframes()), "<i2").astype(numpy.float32) / 32768

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
state = numpy.zeros((2, 1, 128), numpy.float32)
padded = numpy.concatenate([numpy.zeros(CONTEXT, numpy.float32), samples])
chunks = len(samples) // CHUNK
first = last = -1
for i in range(chunks):
    chunk = padded[i * CHUNK : i * CHUNK + CONTEXT + CHUNK]
    output, state = session.run(
        ["output", "stateN"], {"input": chunk[None], "state": state, "sr": numpy.array(16000, numpy.int64)}
    )
    if output[0, 0] > SURE:
        first = i if first < 0 else first
        last = i
    if first >= 0 and (i - last >= PAUSE or i == chunks - 1):
        print(f"{first * CHUNK / 16000:.2f} s to {(last + 1) * CHUNK / 16000:.2f} s")
        first = -1
