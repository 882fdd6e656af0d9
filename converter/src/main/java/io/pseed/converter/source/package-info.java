/**
 * What the converter reads: the interfaces of sources and tensors. Formats live in the packages
 * below; nothing here knows them.
 */
package io.pseed.converter.source;
