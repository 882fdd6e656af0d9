// node voice.mjs MODEL.onnx FILE.wav: says when somebody speaks; 16 kHz, 16 bits, mono.
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const [model, wav] = process.argv.slice(2);
const CHUNK = 512;
const CONTEXT = 64;
const SURE = 0.5;
const PAUSE = 5;

const bytes = readFileSync(wav);
const data = bytes.indexOf('data') + 8;
const samples = Float32Array.from({ length: (bytes.length - data) >> 1 }, (_, i) => bytes.readInt16LE(data + 2 * i) / 32768);

const session = await ort.InferenceSession.create(model);
const sr = new ort.Tensor('int64', [16000n], []);
let state = new ort.Tensor('float32', new Float32Array(256), [2, 1, 128]);
let first = -1;
let last = -1;
const chunks = Math.floor(samples.length / CHUNK);
for (let i = 0; i < chunks; i++) {
  const input = new Float32Array(CONTEXT + CHUNK);
  const context = Math.min(i * CHUNK, CONTEXT);
  input.set(samples.subarray(i * CHUNK - context, (i + 1) * CHUNK), CONTEXT - context);
  const result = await session.run({ input: new ort.Tensor('float32', input, [1, input.length]), state, sr });
  state = result.stateN;
  if (result.output.data[0] > SURE) {
    first = first < 0 ? i : first;
    last = i;
  }
  if (first >= 0 && (i - last >= PAUSE || i === chunks - 1)) {
    const seconds = (chunk) => ((chunk * CHUNK) / 16000).toFixed(2);
    console.log(`${seconds(first)} s to ${seconds(last + 1)} s`);
    first = -1;
  }
}
