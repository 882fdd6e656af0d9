// node run.mjs MODEL.onnx OUT [bytes]: the same inputs as Run.java and run.py, the first output to OUT.
// Run it in the folder that holds node_modules.
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';
const ort = createRequire(process.cwd() + '/')('onnxruntime-node');

const [model, out, bytes] = process.argv.slice(2);
// A model from bytes has no folder of its own: the option says where the .pseed file of an external export stands.
const session = bytes
  ? await ort.InferenceSession.create(readFileSync(model), {
      extra: { session: { model_external_initializers_file_folder_path: dirname(resolve(model)) } },
    })
  : await ort.InferenceSession.create(model);
const inputs = {};
for (const name of session.inputNames) {
  const values = new BigInt64Array(2 * 24);
  values.forEach((_, i) => {
    values[i] = name === 'input_ids' ? BigInt(1000 + 37 * i) : name === 'attention_mask' ? 1n : 0n;
  });
  inputs[name] = new ort.Tensor('int64', values, [2, 24]);
}
const first = (await session.run(inputs))[session.outputNames[0]].data;
writeFileSync(out, Buffer.from(first.buffer, first.byteOffset, first.byteLength));
console.log('ONNX Runtime', ort.env.versions.node);
