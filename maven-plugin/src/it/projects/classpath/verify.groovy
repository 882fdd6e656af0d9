import java.util.zip.ZipFile

// Each build of the log; the quiet one is empty and stands between the third and the skipped one.
List<String> builds = new File(basedir, 'build.log').text.split('(?=\\[INFO\\] Scanning for projects)').findAll { it.contains('Scanning for projects') }
assert builds.size() == 6
List<String> names = ['com/acme/tiny', 'other', 'checkpoints/tiny']
names.each { name ->
  assert builds[0].contains("$name: converting ")
  assert builds[0] =~ /$name: .* -> .* : 1, .* bits a weight/
  assert builds[1].contains("$name: up to date")
  assert !builds[1].contains("$name: converting ")
  assert builds[2].contains("$name: unchanged, taken from the cache")
  assert !builds[2].contains("$name: converting ")
  assert builds[4].contains("$name: converting ")
}
assert builds[0].contains('com/acme/tiny: calibrating with ')
assert builds[0].contains('other: exported to ')
assert !builds[1].contains('exported to')
assert builds[3].contains('pseed is skipped')

// A result that is not asked for any more.
assert builds[5].readLines().any { it.contains('deleted ') && it.contains('tiny.pseed, which the POM does not ask for any more') }

// What was converted anew has the bytes of what the cache kept.
File resources = new File(basedir, 'target/generated-resources/pseed')
List<File> kept = new File(basedir, 'it-cache').listFiles().findAll { it.name.endsWith('.pseed') }
assert kept.size() == 3
byte[] tiny = new File(resources, 'com/acme/tiny.pseed').bytes
assert kept.any { Arrays.equals(it.bytes, tiny) }
assert !new File(resources, 'other.pseed').exists()
assert !new File(resources, 'checkpoints/tiny.pseed').exists()
assert new File(resources, 'moved/tiny.pseed').isFile()
assert !new File(basedir, 'target/pseed/work').list()

ZipFile jar = new ZipFile(new File(basedir, 'target/classpath-1.jar'))
try {
  Set<String> entries = jar.entries().findAll { !it.directory }*.name.findAll { !it.startsWith('META-INF') } as Set
  assert entries == ['com/acme/tiny.pseed', 'other.onnx', 'checkpoints/tiny.pseed'] as Set
  assert Arrays.equals(jar.getInputStream(jar.getEntry('com/acme/tiny.pseed')).bytes, tiny)
} finally {
  jar.close()
}
