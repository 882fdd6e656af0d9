/** The site that is made of the documents; nothing of pseed calls it. */
package io.pseed.docs;
