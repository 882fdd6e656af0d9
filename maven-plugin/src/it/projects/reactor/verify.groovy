List<String> builds = new File(basedir, 'build.log').text.split('(?=\\[INFO\\] Scanning for projects)').findAll { it.contains('Scanning for projects') }
assert builds.size() == 3
// One module converts, the other takes what it made.
assert builds[0].count(': converting ') == 1
assert builds[0].count(': unchanged, taken from the cache') == 1
assert builds[1].count(': converting ') == 2
assert builds[2].count(': unchanged, taken from the cache') == 2
byte[] one = new File(basedir, 'one/target/generated-resources/pseed/one.pseed').bytes
byte[] two = new File(basedir, 'two/target/classes/two.pseed').bytes
assert one.length > 1000
assert Arrays.equals(one, two)
