// The part of ONNX Runtime's C interface that the shell uses, declared here: no header of the runtime is needed to build it.
//
// OrtApi is a table of function pointers that only ever grows, so a function is known by its slot and its signature; GetApi(N) gives the
// table of a runtime of version 1.N or newer. The structures below are those that a plugin execution provider hands to the runtime;
// each begins with the version it was written for, and the runtime uses no member that came later.
#ifndef PSEED_ORT_ABI_HPP
#define PSEED_ORT_ABI_HPP

#include <cstddef>
#include <cstdint>

// Opaque types of the runtime, in the global namespace as there.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtMapTypeInfo;
struct OrtSequenceTypeInfo;
struct OrtOptionalTypeInfo;
struct OrtAllocator;
struct OrtLogger;
struct OrtKernelContext;
struct OrtValueInfo;
struct OrtNode;
struct OrtGraph;
struct OrtModel;
struct OrtOpAttr;
struct OrtKeyValuePairs;
struct OrtHardwareDevice;
struct OrtEpDevice;
struct OrtEpGraphSupportInfo;
struct OrtNodeComputeContext;
struct OrtExternalInitializerInfo;

#if defined(_WIN32)
#define PSEED_ORT_CALL __stdcall
#define PSEED_ORT_EXPORT extern "C" __declspec(dllexport)
#else
#define PSEED_ORT_CALL
#define PSEED_ORT_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace pseed_ort {

// ORTCHAR_T: characters of paths.
#if defined(_WIN32)
using PathChar = wchar_t;
#else
using PathChar = char;
#endif

// The version of OrtApi that the provider is written for: 1.23 was the first whose plugin providers compile graphs.
constexpr uint32_t kApiVersion = 23;
// The oldest runtime that models exported by pseed are made for.
constexpr uint32_t kOldestMinor = 20;

// OrtErrorCode
enum ErrorCode : int { kFail = 1, kInvalidArgument = 2, kRuntimeException = 6, kNotImplemented = 9, kInvalidGraph = 10 };
// OrtLoggingLevel
enum Severity : int { kVerbose = 0, kInfo = 1, kWarning = 2, kError = 3 };
// ONNXType
enum ValueKind : int { kUnknownKind = 0, kTensor = 1, kSequence = 2, kMap = 3, kOpaque = 4, kSparseTensor = 5, kOptional = 6 };
// ONNXTensorElementDataType. Up to 23 the numbers are those of TensorProto.DataType; behind that the two part.
enum ElementType : int { kFloat = 1, kUint8 = 2, kString = 8, kFloat16 = 10, kDouble = 11, kBfloat16 = 16, kLastSharedElementType = 23 };
// OrtOpAttrType
enum AttributeType : int {
  kUndefinedAttribute = 0,
  kIntAttribute = 1,
  kIntsAttribute = 2,
  kFloatAttribute = 3,
  kFloatsAttribute = 4,
  kStringAttribute = 5,
  kStringsAttribute = 6,
  kGraphAttribute = 7,
  kTensorAttribute = 8
};
// OrtHardwareDeviceType
enum HardwareType : int { kCpu = 0 };

struct EpApi;
struct ModelEditorApi;

// F(slot, name, result, parameters): functions of OrtApi that every runtime from 1.20 on has.
#define PSEED_ORT_FUNCTIONS(F)                                                                                                         \
  F(0, CreateStatus, OrtStatus *, (int code, const char *message))                                                                     \
  F(1, GetErrorCode, int, (const OrtStatus *))                                                                                         \
  F(2, GetErrorMessage, const char *, (const OrtStatus *))                                                                             \
  F(3, CreateEnv, OrtStatus *, (int severity, const char *log_id, OrtEnv **))                                                          \
  F(9, Run, OrtStatus *,                                                                                                               \
    (OrtSession *, const OrtRunOptions *, const char *const *inputs, const OrtValue *const *values, size_t, const char *const *outputs, \
     size_t, OrtValue **results))                                                                                                      \
  F(11, SetOptimizedModelFilePath, OrtStatus *, (OrtSessionOptions *, const PathChar *))                                               \
  F(12, CloneSessionOptions, OrtStatus *, (const OrtSessionOptions *, OrtSessionOptions **))                                           \
  F(15, DisableProfiling, OrtStatus *, (OrtSessionOptions *))                                                                          \
  F(48, CreateTensorAsOrtValue, OrtStatus *, (OrtAllocator *, const int64_t *dims, size_t rank, int element_type, OrtValue **))        \
  F(51, GetTensorMutableData, OrtStatus *, (OrtValue *, void **))                                                                      \
  F(52, FillStringTensor, OrtStatus *, (OrtValue *, const char *const *texts, size_t))                                                 \
  F(53, GetStringTensorDataLength, OrtStatus *, (const OrtValue *, size_t *))                                                          \
  F(54, GetStringTensorContent, OrtStatus *, (const OrtValue *, void *chars, size_t, size_t *offsets, size_t))                         \
  F(55, CastTypeInfoToTensorInfo, OrtStatus *, (const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **))                              \
  F(56, GetOnnxTypeFromTypeInfo, OrtStatus *, (const OrtTypeInfo *, int *))                                                            \
  F(60, GetTensorElementType, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, int *))                                                 \
  F(61, GetDimensionsCount, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, size_t *))                                                \
  F(62, GetDimensions, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, int64_t *, size_t))                                            \
  F(63, GetSymbolicDimensions, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, const char **, size_t))                                \
  F(64, GetTensorShapeElementCount, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, size_t *))                                        \
  F(65, GetTensorTypeAndShape, OrtStatus *, (const OrtValue *, OrtTensorTypeAndShapeInfo **))                                          \
  F(78, GetAllocatorWithDefaultOptions, OrtStatus *, (OrtAllocator **))                                                                \
  F(90, KernelContext_GetInput, OrtStatus *, (const OrtKernelContext *, size_t, const OrtValue **))                                    \
  F(91, KernelContext_GetOutput, OrtStatus *, (OrtKernelContext *, size_t, const int64_t *dims, size_t rank, OrtValue **))             \
  F(92, ReleaseEnv, void, (OrtEnv *))                                                                                                  \
  F(93, ReleaseStatus, void, (OrtStatus *))                                                                                            \
  F(95, ReleaseSession, void, (OrtSession *))                                                                                          \
  F(96, ReleaseValue, void, (OrtValue *))                                                                                              \
  F(99, ReleaseTensorTypeAndShapeInfo, void, (OrtTensorTypeAndShapeInfo *))                                                            \
  F(100, ReleaseSessionOptions, void, (OrtSessionOptions *))                                                                           \
  F(103, CastTypeInfoToMapTypeInfo, OrtStatus *, (const OrtTypeInfo *, const OrtMapTypeInfo **))                                       \
  F(104, CastTypeInfoToSequenceTypeInfo, OrtStatus *, (const OrtTypeInfo *, const OrtSequenceTypeInfo **))                             \
  F(105, GetMapKeyType, OrtStatus *, (const OrtMapTypeInfo *, int *))                                                                  \
  F(106, GetMapValueType, OrtStatus *, (const OrtMapTypeInfo *, OrtTypeInfo **))                                                       \
  F(107, GetSequenceElementType, OrtStatus *, (const OrtSequenceTypeInfo *, OrtTypeInfo **))                                           \
  F(98, ReleaseTypeInfo, void, (OrtTypeInfo *))                                                                                        \
  F(130, AddSessionConfigEntry, OrtStatus *, (OrtSessionOptions *, const char *key, const char *value))                                \
  F(237, HasSessionConfigEntry, OrtStatus *, (const OrtSessionOptions *, const char *key, int *))                                      \
  F(238, GetSessionConfigEntry, OrtStatus *, (const OrtSessionOptions *, const char *key, char *value, size_t *))                      \
  F(247, Logger_LogMessage, OrtStatus *,                                                                                               \
    (const OrtLogger *, int severity, const char *message, const PathChar *file, int line, const char *function))                      \
  F(248, Logger_GetLoggingSeverityLevel, OrtStatus *, (const OrtLogger *, int *))                                                      \
  F(250, CastTypeInfoToOptionalTypeInfo, OrtStatus *, (const OrtTypeInfo *, const OrtOptionalTypeInfo **))                             \
  F(251, GetOptionalContainedTypeInfo, OrtStatus *, (const OrtOptionalTypeInfo *, OrtTypeInfo **))                                     \
  F(272, ReadOpAttr, OrtStatus *, (const OrtOpAttr *, int type, void *data, size_t, size_t *needed))                                   \
  /* from 1.23 on */                                                                                                                   \
  F(285, ReleaseValueInfo, void, (OrtValueInfo *))                                                                                     \
  F(287, ReleaseGraph, void, (OrtGraph *))                                                                                             \
  F(288, ReleaseModel, void, (OrtModel *))                                                                                             \
  F(289, GetValueInfoName, OrtStatus *, (const OrtValueInfo *, const char **))                                                         \
  F(290, GetValueInfoTypeInfo, OrtStatus *, (const OrtValueInfo *, const OrtTypeInfo **))                                              \
  F(291, GetModelEditorApi, const ModelEditorApi *, ())                                                                                \
  F(301, RegisterExecutionProviderLibrary, OrtStatus *, (OrtEnv *, const char *name, const PathChar *path))                            \
  F(303, GetEpDevices, OrtStatus *, (const OrtEnv *, const OrtEpDevice *const **, size_t *))                                           \
  F(304, SessionOptionsAppendExecutionProvider_V2, OrtStatus *,                                                                        \
    (OrtSessionOptions *, OrtEnv *, const OrtEpDevice *const *, size_t, const char *const *keys, const char *const *values, size_t))   \
  F(307, HardwareDevice_Type, int, (const OrtHardwareDevice *))                                                                        \
  F(312, EpDevice_EpName, const char *, (const OrtEpDevice *))                                                                         \
  F(317, GetEpApi, const EpApi *, ())                                                                                                  \
  F(318, GetTensorSizeInBytes, OrtStatus *, (const OrtValue *, size_t *))                                                              \
  F(323, ValueInfo_GetValueProducer, OrtStatus *, (const OrtValueInfo *, const OrtNode **, size_t *output))                            \
  F(326, ValueInfo_GetInitializerValue, OrtStatus *, (const OrtValueInfo *, const OrtValue **))                                        \
  F(327, ValueInfo_GetExternalInitializerInfo, OrtStatus *, (const OrtValueInfo *, OrtExternalInitializerInfo **))                     \
  F(329, ValueInfo_IsOptionalGraphInput, OrtStatus *, (const OrtValueInfo *, bool *))                                                  \
  F(330, ValueInfo_IsGraphOutput, OrtStatus *, (const OrtValueInfo *, bool *))                                                         \
  F(331, ValueInfo_IsConstantInitializer, OrtStatus *, (const OrtValueInfo *, bool *))                                                 \
  F(332, ValueInfo_IsFromOuterScope, OrtStatus *, (const OrtValueInfo *, bool *))                                                      \
  F(333, Graph_GetName, OrtStatus *, (const OrtGraph *, const char **))                                                                \
  F(334, Graph_GetModelPath, OrtStatus *, (const OrtGraph *, const PathChar **))                                                       \
  F(335, Graph_GetOnnxIRVersion, OrtStatus *, (const OrtGraph *, int64_t *))                                                           \
  F(336, Graph_GetNumOperatorSets, OrtStatus *, (const OrtGraph *, size_t *))                                                          \
  F(337, Graph_GetOperatorSets, OrtStatus *, (const OrtGraph *, const char **domains, int64_t *versions, size_t))                      \
  F(338, Graph_GetNumInputs, OrtStatus *, (const OrtGraph *, size_t *))                                                                \
  F(339, Graph_GetInputs, OrtStatus *, (const OrtGraph *, const OrtValueInfo **, size_t))                                              \
  F(340, Graph_GetNumOutputs, OrtStatus *, (const OrtGraph *, size_t *))                                                               \
  F(341, Graph_GetOutputs, OrtStatus *, (const OrtGraph *, const OrtValueInfo **, size_t))                                             \
  F(342, Graph_GetNumInitializers, OrtStatus *, (const OrtGraph *, size_t *))                                                          \
  F(343, Graph_GetInitializers, OrtStatus *, (const OrtGraph *, const OrtValueInfo **, size_t))                                        \
  F(344, Graph_GetNumNodes, OrtStatus *, (const OrtGraph *, size_t *))                                                                 \
  F(345, Graph_GetNodes, OrtStatus *, (const OrtGraph *, const OrtNode **, size_t))                                                    \
  F(346, Graph_GetParentNode, OrtStatus *, (const OrtGraph *, const OrtNode **))                                                       \
  F(349, Node_GetName, OrtStatus *, (const OrtNode *, const char **))                                                                  \
  F(350, Node_GetOperatorType, OrtStatus *, (const OrtNode *, const char **))                                                          \
  F(351, Node_GetDomain, OrtStatus *, (const OrtNode *, const char **))                                                                \
  F(353, Node_GetNumInputs, OrtStatus *, (const OrtNode *, size_t *))                                                                  \
  F(354, Node_GetInputs, OrtStatus *, (const OrtNode *, const OrtValueInfo **, size_t))                                                \
  F(355, Node_GetNumOutputs, OrtStatus *, (const OrtNode *, size_t *))                                                                 \
  F(356, Node_GetOutputs, OrtStatus *, (const OrtNode *, const OrtValueInfo **, size_t))                                               \
  F(357, Node_GetNumImplicitInputs, OrtStatus *, (const OrtNode *, size_t *))                                                          \
  F(358, Node_GetImplicitInputs, OrtStatus *, (const OrtNode *, const OrtValueInfo **, size_t))                                        \
  F(359, Node_GetNumAttributes, OrtStatus *, (const OrtNode *, size_t *))                                                              \
  F(360, Node_GetAttributes, OrtStatus *, (const OrtNode *, const OrtOpAttr **, size_t))                                               \
  F(362, OpAttr_GetTensorAttributeAsOrtValue, OrtStatus *, (const OrtOpAttr *, OrtValue **))                                           \
  F(363, OpAttr_GetType, OrtStatus *, (const OrtOpAttr *, int *))                                                                      \
  F(364, OpAttr_GetName, OrtStatus *, (const OrtOpAttr *, const char **))                                                              \
  F(365, Node_GetNumSubgraphs, OrtStatus *, (const OrtNode *, size_t *))                                                               \
  F(366, Node_GetSubgraphs, OrtStatus *, (const OrtNode *, const OrtGraph **, size_t, const char **attribute_names))                   \
  F(368, Node_GetEpName, OrtStatus *, (const OrtNode *, const char **))                                                                \
  F(369, ReleaseExternalInitializerInfo, void, (OrtExternalInitializerInfo *))                                                         \
  F(370, ExternalInitializerInfo_GetFilePath, const PathChar *, (const OrtExternalInitializerInfo *))                                  \
  F(371, ExternalInitializerInfo_GetFileOffset, int64_t, (const OrtExternalInitializerInfo *))

// The functions, by name. Filled from the table of GetApi(kApiVersion) at once, so that each use is an ordinary typed call.
struct Api {
#define PSEED_ORT_MEMBER(slot, name, result, parameters) result(PSEED_ORT_CALL *name) parameters = nullptr;
  PSEED_ORT_FUNCTIONS(PSEED_ORT_MEMBER)
#undef PSEED_ORT_MEMBER

  // From 1.24 on; null before.
  bool(PSEED_ORT_CALL *TensorTypeAndShape_HasShape)(const OrtTensorTypeAndShapeInfo *) = nullptr;

  // The runtime's version is 1.minor.patch.
  const int minor;
  const int patch;

  // `table`: what GetApi gave.
  Api(const void *table, int minor_version, int patch_version) : minor(minor_version), patch(patch_version) {
    void (*const *functions)() = static_cast<void (*const *)()>(table);
#define PSEED_ORT_LOAD(slot, name, result, parameters) name = reinterpret_cast<result(PSEED_ORT_CALL *) parameters>(functions[slot]);
    PSEED_ORT_FUNCTIONS(PSEED_ORT_LOAD)
#undef PSEED_ORT_LOAD
    if (minor >= 24) {
      TensorTypeAndShape_HasShape = reinterpret_cast<decltype(TensorTypeAndShape_HasShape)>(functions[390]);
    }
  }
};

// OrtApiBase
struct ApiBase {
  const void *(PSEED_ORT_CALL *GetApi)(uint32_t version);
  const char *(PSEED_ORT_CALL *GetVersionString)();
};

// OrtNodeFusionOptions
struct FusionOptions {
  uint32_t version;
  bool drop_constant_initializers;
};

// The beginning of OrtEpApi.
struct EpFactory;
struct EpApi {
  OrtStatus *(PSEED_ORT_CALL *CreateEpDevice)(EpFactory *, const OrtHardwareDevice *, const OrtKeyValuePairs *metadata,
                                              const OrtKeyValuePairs *options, OrtEpDevice **);
  void(PSEED_ORT_CALL *ReleaseEpDevice)(OrtEpDevice *);
  OrtStatus *(PSEED_ORT_CALL *EpGraphSupportInfo_AddNodesToFuse)(OrtEpGraphSupportInfo *, const OrtNode *const *, size_t,
                                                                 const FusionOptions *);
};

// OrtModelEditorApi: what adds weights to a model without a copy.
struct ModelEditorApi {
  void *unused_0[5];
  OrtStatus *(PSEED_ORT_CALL *CreateValueInfo)(const char *name, const OrtTypeInfo *, OrtValueInfo **);
  void *unused_6;
  OrtStatus *(PSEED_ORT_CALL *CreateGraph)(OrtGraph **);
  OrtStatus *(PSEED_ORT_CALL *SetGraphInputs)(OrtGraph *, OrtValueInfo **, size_t);
  void *unused_9;
  OrtStatus *(PSEED_ORT_CALL *AddInitializerToGraph)(OrtGraph *, const char *name, OrtValue *, bool external);
  void *unused_11;
  OrtStatus *(PSEED_ORT_CALL *CreateModel)(const char *const *domains, const int *versions, size_t, OrtModel **);
  OrtStatus *(PSEED_ORT_CALL *AddGraphToModel)(OrtModel *, OrtGraph *);
  void *unused_14[2];
  OrtStatus *(PSEED_ORT_CALL *CreateModelEditorSessionFromArray)(const OrtEnv *, const void *model, size_t, const OrtSessionOptions *,
                                                                 OrtSession **);
  void *unused_17;
  OrtStatus *(PSEED_ORT_CALL *ApplyModelToModelEditorSession)(OrtSession *, OrtModel *);
  OrtStatus *(PSEED_ORT_CALL *FinalizeModelEditorSession)(OrtSession *, const OrtSessionOptions *, void *prepacked_weights);
};

// OrtNodeComputeInfo
struct NodeComputeInfo {
  uint32_t version;
  OrtStatus *(PSEED_ORT_CALL *CreateState)(NodeComputeInfo *, OrtNodeComputeContext *, void **state);
  OrtStatus *(PSEED_ORT_CALL *Compute)(NodeComputeInfo *, void *state, OrtKernelContext *);
  void(PSEED_ORT_CALL *ReleaseState)(NodeComputeInfo *, void *state);
};

// OrtEp, as far as version 23 has it. Members that stay null are optional and not ours.
struct Ep {
  uint32_t version;
  const char *(PSEED_ORT_CALL *GetName)(const Ep *);
  OrtStatus *(PSEED_ORT_CALL *GetCapability)(Ep *, const OrtGraph *, OrtEpGraphSupportInfo *);
  OrtStatus *(PSEED_ORT_CALL *Compile)(Ep *, const OrtGraph **, const OrtNode **fused, size_t, NodeComputeInfo **, OrtNode **context_nodes);
  void(PSEED_ORT_CALL *ReleaseNodeComputeInfos)(Ep *, NodeComputeInfo **, size_t);
  void *GetPreferredDataLayout;
  void *ShouldConvertDataLayoutForOp;
  void *SetDynamicOptions;
  OrtStatus *(PSEED_ORT_CALL *OnRunStart)(Ep *, const OrtRunOptions *);
  OrtStatus *(PSEED_ORT_CALL *OnRunEnd)(Ep *, const OrtRunOptions *, bool sync_stream);
  void *CreateAllocator;
  void *CreateSyncStreamForDevice;
  void *GetCompiledModelCompatibilityInfo;
};

// OrtEpFactory, as far as version 23 has it.
struct EpFactory {
  uint32_t version;
  const char *(PSEED_ORT_CALL *GetName)(const EpFactory *);
  const char *(PSEED_ORT_CALL *GetVendor)(const EpFactory *);
  OrtStatus *(PSEED_ORT_CALL *GetSupportedDevices)(EpFactory *, const OrtHardwareDevice *const *, size_t, OrtEpDevice **, size_t most,
                                                   size_t *count);
  OrtStatus *(PSEED_ORT_CALL *CreateEp)(EpFactory *, const OrtHardwareDevice *const *, const OrtKeyValuePairs *const *, size_t,
                                        const OrtSessionOptions *, const OrtLogger *, Ep **);
  void(PSEED_ORT_CALL *ReleaseEp)(EpFactory *, Ep *);
  uint32_t(PSEED_ORT_CALL *GetVendorId)(const EpFactory *);
  const char *(PSEED_ORT_CALL *GetVersion)(const EpFactory *);
  OrtStatus *(PSEED_ORT_CALL *ValidateCompiledModelCompatibilityInfo)(EpFactory *, const OrtHardwareDevice *const *, size_t, const char *,
                                                                      int *);
  OrtStatus *(PSEED_ORT_CALL *CreateAllocator)(EpFactory *, const void *memory_info, const OrtKeyValuePairs *, OrtAllocator **);
  void(PSEED_ORT_CALL *ReleaseAllocator)(EpFactory *, OrtAllocator *);
  OrtStatus *(PSEED_ORT_CALL *CreateDataTransfer)(EpFactory *, void **);
  bool(PSEED_ORT_CALL *IsStreamAware)(const EpFactory *);
  OrtStatus *(PSEED_ORT_CALL *CreateSyncStreamForDevice)(EpFactory *, const void *memory_device, const OrtKeyValuePairs *, void **);
};

}  // namespace pseed_ort
#endif
