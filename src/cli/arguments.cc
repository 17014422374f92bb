#include "cli/arguments.h"

#include <CLI/CLI.hpp>

namespace glaive::cli {

namespace {

// "limit,n" -> "--limit,-n"
std::string Dashed(const std::string& name) {
  const auto comma = name.find(',');
  return comma == std::string::npos ? "--" + name
                                    : "--" + name.substr(0, comma) + ",-" + name.substr(comma + 1);
}

// The parser would take -1 for a very large number.
std::string NotNegative(const std::string& text) {
  return text.find('-') == std::string::npos ? "" : "found " + text + ", expected a number from 0";
}

}  // namespace

void Arguments::Positional(const std::string& name, std::string* to, const std::string& help) {
  app_->add_option(name, *to, help)->required();
}

void Arguments::OptionalPositional(const std::string& name, std::string* to,
                                   const std::string& help) {
  app_->add_option(name, *to, help);
}

void Arguments::Positionals(const std::string& name, std::vector<std::string>* to,
                            const std::string& help) {
  app_->add_option(name, *to, help);
}

void Arguments::Flag(const std::string& name, bool* to, const std::string& help) {
  app_->add_flag(Dashed(name), *to, help);
}

void Arguments::Text(const std::string& name, std::string* to, const std::string& help) {
  app_->add_option(Dashed(name), *to, help)->type_name("TEXT");
}

void Arguments::Text(const std::string& name, std::optional<std::string>* to,
                     const std::string& help) {
  app_->add_option_function<std::string>(
          Dashed(name), [to](const auto& text) { *to = text; }, help)
      ->type_name("TEXT");
}

void Arguments::Choice(const std::string& name, std::string* to,
                       const std::vector<std::string>& allowed, const std::string& help) {
  app_->add_option(Dashed(name), *to, help)->check(CLI::IsMember(allowed))->type_name("");
}

void Arguments::Number(const std::string& name, uint64_t* to, const std::string& help) {
  app_->add_option(Dashed(name), *to, help)->type_name("N")->check(NotNegative);
}

void Arguments::Number(const std::string& name, std::optional<uint64_t>* to,
                       const std::string& help) {
  app_->add_option_function<uint64_t>(
          Dashed(name), [to](uint64_t n) { *to = n; }, help)
      ->type_name("N")
      ->check(NotNegative);
}

void Arguments::Number(const std::string& name, std::optional<float>* to, const std::string& help) {
  app_->add_option_function<float>(
          Dashed(name), [to](float number) { *to = number; }, help)
      ->type_name("NUMBER");
}

void Arguments::Texts(const std::string& name, std::vector<std::string>* to,
                      const std::string& help) {
  app_->add_option(Dashed(name), *to, help)
      ->expected(1)
      ->type_name("TEXT")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Arguments::List(const std::string& name, std::vector<std::string>* to,
                     const std::string& help) {
  app_->add_option(Dashed(name), *to, help)
      ->delimiter(',')
      ->expected(1)
      ->type_name("A,B,…")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Arguments::NumberList(const std::string& name, std::vector<uint64_t>* to,
                           const std::string& help) {
  app_->add_option(Dashed(name), *to, help)
      ->delimiter(',')
      ->expected(1)
      ->type_name("N,N,…")
      ->check(NotNegative)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Arguments::Footer(const std::string& text) {
  app_->footer(text);
}

}  // namespace glaive::cli
