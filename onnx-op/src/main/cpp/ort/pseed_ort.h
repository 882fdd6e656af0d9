/*
 * The op library of pseed for ONNX Runtime, as a plain shared library: libpseed_ort.so, pseed_ort.dll, libpseed_ort.dylib.
 *
 * A program names the file to the runtime; it need not include this header, nor link with anything:
 *
 *     C        g_ort->RegisterCustomOpsLibrary_V2(options, ORT_TSTR("libpseed_ort.so"));
 *     C++      options.RegisterCustomOpsLibrary(ORT_TSTR("libpseed_ort.so"));
 *     C#       options.RegisterCustomOpLibrary("libpseed_ort.so");
 *     Java     options.registerCustomOpLibrary("libpseed_ort.so");
 *     Python   options.register_custom_ops_library("libpseed_ort.so")
 *
 * then opens a model written by `pseed export --onnx` with these options, as any other model. It says what a program that links with
 * the library instead may call, and the names by which a session may be asked and told.
 */
#ifndef PSEED_ORT_H
#define PSEED_ORT_H

/*
 * Nodes of this domain that are called SeedDecode, SeedDecode_1, SeedDecode_2, ... decode a record. Their input 0 is its bytes: a
 * constant, or a Concat of a constant and of Nothing.
 */
#define PSEED_ORT_DOMAIN "io.pseed"
#define PSEED_ORT_OPERATOR "SeedDecode"
/* A link of the chain that spreads folding over steps where this library is not: gives its second input, the number 1. */
#define PSEED_ORT_LOAD_STEP "LoadStep"
/* No bytes: a record behind which they stand is no constant, and the runtime, which copies a function's constants over and over, does not copy it. */
#define PSEED_ORT_NOTHING "Nothing"

/* The execution provider as which the library takes part in a session, from ONNX Runtime 1.23 on. */
#define PSEED_ORT_PROVIDER "PseedExecutionProvider"

/*
 * Session configuration entries (AddSessionConfigEntry), all optional:
 * threads that decode at load; 0, the default: one a logical CPU
 */
#define PSEED_ORT_DECODE_THREADS "pseed.decode_threads"
/* most decoded bytes of one tensor, in decimal; the default is 17179869184, 16 GiB (format specification, section 11) */
#define PSEED_ORT_MAX_TENSOR_BYTES "pseed.max_tensor_bytes"
/* a file for the graph that runs, with decoded weights, after all optimizations: to compare it with the original's */
#define PSEED_ORT_OPTIMIZED_MODEL "pseed.optimized_model_filepath"

#ifdef __cplusplus
extern "C" {
#endif

struct OrtStatus;
struct OrtSessionOptions;
struct OrtApiBase;

/*
 * What every binding calls when it is given the library. Returns null, or a status with a sentence that says why the runtime does not
 * fit. Before ONNX Runtime 1.23 it registers nothing and says so once on the standard error stream: the model decodes itself.
 */
#if defined(_WIN32)
struct OrtStatus *__stdcall RegisterCustomOps(struct OrtSessionOptions *options, const struct OrtApiBase *api);
#else
struct OrtStatus *RegisterCustomOps(struct OrtSessionOptions *options, const struct OrtApiBase *api);
#endif

#ifdef __cplusplus
}
#endif
#endif
