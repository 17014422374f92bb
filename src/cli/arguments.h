// What a verb takes on the command line: a thin layer over the parser, so that verbs stay short and
// only arguments.cc and main.cc know the parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace glaive::cli {

/// Declares positionals and options of one verb; each writes to the variable it is given, which
/// must outlive the run. Names of options come without dashes; a one-letter name after a comma is
/// the short form
/// ("limit,n").
class Arguments {
 public:
  explicit Arguments(CLI::App* app) : app_(app) {}

  void Positional(const std::string& name, std::string* to, const std::string& help);
  void OptionalPositional(const std::string& name, std::string* to, const std::string& help);
  /// All that is left; optional.
  void Positionals(const std::string& name, std::vector<std::string>* to, const std::string& help);
  void Flag(const std::string& name, bool* to, const std::string& help);
  void Text(const std::string& name, std::string* to, const std::string& help);
  void Text(const std::string& name, std::optional<std::string>* to, const std::string& help);
  void Choice(const std::string& name, std::string* to, const std::vector<std::string>& allowed,
              const std::string& help);
  void Number(const std::string& name, uint64_t* to, const std::string& help);
  void Number(const std::string& name, std::optional<uint64_t>* to, const std::string& help);
  void Number(const std::string& name, std::optional<float>* to, const std::string& help);
  /// One value each time it is given, commas and all.
  void Texts(const std::string& name, std::vector<std::string>* to, const std::string& help);
  /// Values separated by commas; may be given several times.
  void List(const std::string& name, std::vector<std::string>* to, const std::string& help);
  void NumberList(const std::string& name, std::vector<uint64_t>* to, const std::string& help);
  /// Text at the end of the verb's --help.
  void Footer(const std::string& text);

 private:
  CLI::App* app_;
};

}  // namespace glaive::cli
