List<String> builds = new File(basedir, 'build.log').text.split('(?=\\[INFO\\] Scanning for projects)').findAll { it.contains('Scanning for projects') }
// The sentences of each build, in the order of invoker.properties.
List<List<String>> expected = [
  ['<source> org.example.nowhere:nothing:1!/x.onnx: ', 'org.example.nowhere:nothing:jar:1'],
  ['<source> src/main/models/**/*.onnx matches nothing'],
  ['two models have the <target> M: ', 'tiny.onnx and ', 'other.onnx'],
  ['<calibration> texts/missing.txt does not exist', '(model '],
  ['<device> cuda: pseed-gpu is not on the class path'],
  ['tiny.onnx: <minCosine> 0.999 is missed: ', 'reach a mean cosine of 0.9'],
  ['<minWorst> of ', 'tiny.onnx is missed: measured 0.', 'asked for 0.9999'],
  ['<target> ../../tiny leaves <outputDirectory>'],
  ['a <model> of <models> has no <source>'],
  ['<outputDirectory>: ', 'pom.xml', ' cannot be written'],
  ['<source>: ', 'pom.xml: '],
  ['<calibration> or <judge>: ', 'tiny.safetensors'],
  ['two models would be attached with the <classifier> small: '],
].toList()
assert builds.size() == expected.size()
expected.eachWithIndex { words, i ->
  String sentence = builds[i].readLines().find { it.startsWith('[ERROR] Failed to execute goal io.pseed:pseed-maven-plugin') }
  assert sentence != null
  words.each { assert sentence.contains(it) }
}
// A missed bound leaves nothing.
assert !new File(basedir, 'target/generated-resources/pseed').exists()
