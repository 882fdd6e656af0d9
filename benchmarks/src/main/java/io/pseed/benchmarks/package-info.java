/** JMH benchmarks of the hot loops beside their physical bound. Nothing calls them. */
package io.pseed.benchmarks;
