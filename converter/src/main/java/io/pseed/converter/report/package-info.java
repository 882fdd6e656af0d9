/**
 * What became of a model, for people and programs: one value, written as an HTML page that needs
 * nothing else and as JSON with the same content. For the commands.
 */
package io.pseed.converter.report;
