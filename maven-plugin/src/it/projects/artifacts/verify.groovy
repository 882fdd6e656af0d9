List<String> builds = new File(basedir, 'build.log').text.split('(?=\\[INFO\\] Scanning for projects)').findAll { it.contains('Scanning for projects') }
assert builds.size() == 5
assert builds[0] =~ /tiny: found .* with a mean cosine of 0\.\d+ in \d+ tries/
assert builds[0] =~ /tiny: mean cosine 0\.\d+ on /
assert builds[0].count(': whole; ') == 2
assert builds[1].count(': up to date') == 2
assert builds[1].count(': is verified and unchanged') == 2

// The judge of convert and that of verify see the same inputs.
List<String> cosines = (builds[0] =~ /tiny: mean cosine (0\.\d+)/).collect { it[1] }
assert cosines.size() == 2
assert cosines[0] == cosines[1]
assert cosines[0].toDouble() >= 0.98

File repository = new File(localRepositoryPath, 'io/pseed/it/artifacts/1')
['small.pseed', 'small.onnx', 'beside-other.pseed', 'beside-other.onnx'].each {
  assert new File(repository, "artifacts-1-$it").isFile()
}
File results = new File(basedir, 'target/generated-resources/pseed')
assert new File(results, 'beside/other.pseed').length() <= 8000
assert new File(results, 'beside/other.onnx').length() < new File(results, 'tiny.onnx').length()
assert Arrays.equals(new File(results, 'again.onnx').bytes, new File(results, 'tiny.onnx').bytes)
assert builds[3].contains('metadata') || builds[3].contains('digest    SHA-256')
assert builds[3] =~ /table .* trellis/
assert builds[4].contains('pseed:convert')
assert builds[4].contains('Smallest mean cosine of the outputs')
