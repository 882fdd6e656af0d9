// Just enough JSON to read the lists of the conformance vectors. Tests only.
#ifndef PSEED_TEST_JSON_HPP
#define PSEED_TEST_JSON_HPP

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace pseed_test {

struct Json {
  std::string text;  // of a string or a number
  std::vector<Json> items;
  std::map<std::string, Json> members;

  const Json &at(const std::string &name) const {
    const auto found = members.find(name);
    if (found == members.end()) {
      std::fprintf(stderr, "JSON: no member %s\n", name.c_str());
      std::exit(2);
    }
    return found->second;
  }
  bool has(const std::string &name) const { return members.count(name) != 0; }
};

class JsonReader {
 public:
  explicit JsonReader(const std::string &text) : text_(text) {}

  Json read() {
    Json value = any();
    if (peek() != 0) {
      fail("more after the end");
    }
    return value;
  }

 private:
  [[noreturn]] void fail(const char *what) const {
    std::fprintf(stderr, "JSON at %zu: %s\n", at_, what);
    std::exit(2);
  }

  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      at_++;
    }
    return at_ < text_.size() ? text_[at_] : 0;
  }

  bool take(char c) {
    if (peek() == c) {
      at_++;
      return true;
    }
    return false;
  }

  void need(char c) {
    if (!take(c)) {
      fail("another character expected");
    }
  }

  Json any() {
    Json value;
    switch (peek()) {
      case '[':
        at_++;
        while (!take(']')) {
          value.items.push_back(any());
          if (!take(',') && peek() != ']') {
            fail("no comma");
          }
        }
        return value;
      case '{':
        at_++;
        while (!take('}')) {
          const std::string name = string();
          need(':');
          value.members[name] = any();
          if (!take(',') && peek() != '}') {
            fail("no comma");
          }
        }
        return value;
      case '"':
        value.text = string();
        return value;
      default:
        while (at_ < text_.size() && (std::string("+-.eE").find(text_[at_]) != std::string::npos ||
                                      (text_[at_] >= '0' && text_[at_] <= '9'))) {
          value.text += text_[at_++];
        }
        if (value.text.empty()) {
          fail("no value");
        }
        return value;
    }
  }

  // Escapes are kept as they are: names and recipes are printed only.
  std::string string() {
    need('"');
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        out += text_[at_++];
      }
      if (at_ < text_.size()) {
        out += text_[at_++];
      }
    }
    need('"');
    return out;
  }

  const std::string &text_;
  size_t at_ = 0;
};

}  // namespace pseed_test
#endif
