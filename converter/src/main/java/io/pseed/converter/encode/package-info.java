/**
 * From a tensor and its plan to a record: scales, rotation, search, and the check by decoding. Not
 * normative: what comes out is judged by size and error alone. Called by the pipeline; knows
 * neither files nor formats of sources.
 */
package io.pseed.converter.encode;
