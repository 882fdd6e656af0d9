/**
 * What a user's request comes to, whoever takes it: the shell's command and the Maven plugin.
 * {@link io.pseed.converter.command.ConversionTask} converts as asked, {@link
 * io.pseed.converter.command.Judging} judges, {@link io.pseed.converter.command.Inspection} tells
 * what a file holds. Prints nothing; sentences name options in the words of a {@link
 * io.pseed.converter.command.Wording}.
 */
package io.pseed.converter.command;
