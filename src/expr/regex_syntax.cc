#include "expr/regex_syntax.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/status.h"
#include "expr/functions/unicode.h"

namespace glaive::expr {
namespace {

// Members of classes of PCRE2, as Unicode defines them for regular expressions (UTS 18).
constexpr std::string_view kWord = R"(0-9A-Z_a-z\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control})";
constexpr std::string_view kAnything = "(?s:.)";
constexpr std::string_view kNothing = "(?!)";

constexpr int kMaxNesting = 200;
constexpr size_t kMaxOutput = 1 << 20;
constexpr uint32_t kMaxCount = 65535;

struct Named {
  std::string_view name;
  std::string_view members;
};

constexpr std::array<Named, 14> kPosixClasses = {{
    {"alnum", "0-9A-Za-z"},
    {"alpha", "A-Za-z"},
    {"ascii", R"(\x00-\x7F)"},
    {"blank", R"(\t\x20)"},
    {"cntrl", R"(\x00-\x1F\x7F)"},
    {"digit", "0-9"},
    {"graph", "!-~"},
    {"lower", "a-z"},
    {"print", R"(\x20-~)"},
    {"punct", R"(!-\/:-@\[-`{-~)"},
    {"space", R"(\x09-\x0D\x20)"},
    {"upper", "A-Z"},
    {"word", "0-9A-Z_a-z"},
    {"xdigit", "0-9A-Fa-f"},
}};

// Long names of general categories; PCRE2 knows the short ones.
constexpr std::array<Named, 37> kCategories = {{
    {"other", "C"},
    {"control", "Cc"},
    {"format", "Cf"},
    {"unassigned", "Cn"},
    {"privateuse", "Co"},
    {"surrogate", "Cs"},
    {"letter", "L"},
    {"casedletter", "L&"},
    {"lowercaseletter", "Ll"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"titlecaseletter", "Lt"},
    {"uppercaseletter", "Lu"},
    {"mark", "M"},
    {"spacingmark", "Mc"},
    {"enclosingmark", "Me"},
    {"nonspacingmark", "Mn"},
    {"number", "N"},
    {"decimalnumber", "Nd"},
    {"letternumber", "Nl"},
    {"othernumber", "No"},
    {"punctuation", "P"},
    {"connectorpunctuation", "Pc"},
    {"dashpunctuation", "Pd"},
    {"closepunctuation", "Pe"},
    {"finalpunctuation", "Pf"},
    {"initialpunctuation", "Pi"},
    {"otherpunctuation", "Po"},
    {"openpunctuation", "Ps"},
    {"symbol", "S"},
    {"currencysymbol", "Sc"},
    {"modifiersymbol", "Sk"},
    {"mathsymbol", "Sm"},
    {"othersymbol", "So"},
    {"separator", "Z"},
    {"lineseparator", "Zl"},
    {"paragraphseparator", "Zp"},
}};

bool IsLetter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string Hex(char32_t character) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string digits;
  for (uint32_t rest = character; rest > 0 || digits.empty(); rest /= 16) {
    digits.insert(digits.begin(), kHexDigits[rest % 16]);
  }
  return "\\x{" + digits + "}";
}

// A set of characters: members of a PCRE2 class, and patterns of one character each that no class
// of PCRE2 can hold.
struct CharacterSet {
  std::string members;
  std::vector<std::string> parts;

  void Add(const CharacterSet& other) {
    members += other.members;
    parts.insert(parts.end(), other.parts.begin(), other.parts.end());
  }

  std::string Pattern(bool negated) const {
    if (parts.empty() && members.empty()) return std::string(negated ? kAnything : kNothing);
    if (parts.empty()) return (negated ? "[^" : "[") + members + "]";
    std::string any;
    if (!members.empty()) any = "[" + members + "]";
    for (const std::string& part : parts) any += (any.empty() ? "" : "|") + part;
    any = "(?:" + any + ")";
    return negated ? "(?:(?!" + any + ")" + std::string(kAnything) + ")" : any;
  }

  static CharacterSet Of(std::string_view members, bool negated) {
    if (!negated) return {std::string(members), {}};
    return {"", {"[^" + std::string(members) + "]"}};
  }
};

// What an escape stands for.
struct Escaped {
  std::optional<char32_t> character;
  CharacterSet set;  // if it is no character
};

// One pass over the pattern; groups are kept on a stack of its own, classes nest by recursion of
// bounded depth.
class Translator {
 public:
  Translator(std::string_view pattern, const RegexOptions& options) : in_(pattern) {
    flags_.fold = options.fold;
    flags_.lines = options.lines;
    flags_.dot_all = options.dot_all;
    flags_.lazy = options.lazy;
    flags_.verbose = options.verbose;
  }

  arrow::Result<RegexSource> Run() {
    while (true) {
      SkipBlanks();
      if (AtEnd()) break;
      ARROW_RETURN_NOT_OK(Step());
      if (out_.size() > kMaxOutput) return Bad("it is too large");
    }
    if (!open_.empty()) return Bad("missing ), unclosed group");
    return RegexSource{std::move(out_), std::move(names_)};
  }

 private:
  struct Flags {
    bool fold = false;
    bool lines = false;
    bool dot_all = false;
    bool lazy = false;
    bool verbose = false;
  };

  struct Open {
    Flags flags;   // outside
    size_t begin;  // in out_
    bool assertion;
  };

  arrow::Status Bad(std::string_view reason) const {
    return InvalidArgument("bad regular expression ", ShowText(in_), ", at byte ", at_, ": ",
                           reason);
  }

  bool AtEnd() const { return at_ >= in_.size(); }

  char Peek(size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }

  bool StartsWith(std::string_view text) const { return in_.substr(at_, text.size()) == text; }

  void SkipBlanks() {
    while (flags_.verbose && !AtEnd()) {
      if (IsBlank(Peek())) {
        ++at_;
      } else if (Peek() == '#') {
        at_ = std::min(in_.find('\n', at_), in_.size());
      } else {
        return;
      }
    }
  }

  // The thing that a repetition that follows repeats.
  void Atom(std::string_view text, bool assertion = false) {
    atom_ = out_.size();
    wrap_ = assertion;
    repeats_ = 0;
    out_ += text;
  }

  void NoAtom() { atom_ = kNoAtom; }

  arrow::Status Step() {
    const char c = Peek();
    switch (c) {
      case '(':
        return OpenGroup();
      case ')':
        return CloseGroup();
      case '|':
        out_ += '|';
        NoAtom();
        break;
      case '[': {
        ARROW_ASSIGN_OR_RAISE(const std::string set, Class(0));
        Atom(set);
        return arrow::Status::OK();
      }
      case '*':
      case '+':
      case '?':
        ++at_;
        return Repeat(std::string(1, c));
      case '{':
        return Counted();
      case '^':
      case '$':
        Atom(in_.substr(at_, 1), true);
        break;
      case '.':
        Atom(".");
        break;
      case '\\':
        return Escape();
      default:
        return Literal(NextCharacter(in_, &at_));
    }
    ++at_;
    return arrow::Status::OK();
  }

  arrow::Status Literal(char32_t character) {
    std::string text;
    if (character >= 0x80) {
      AppendCharacter(character, &text);
    } else if (character < 0x20) {
      text = Hex(character);
    } else {
      text = QuoteRegex(std::string(1, static_cast<char>(character)));
    }
    Atom(text);
    return arrow::Status::OK();
  }

  // ---- Groups ----

  arrow::Status OpenGroup() {
    if (open_.size() >= kMaxNesting) return Bad("groups are nested too deeply");
    Open group{flags_, out_.size(), false};
    for (std::string_view look : {"(?=", "(?!", "(?<=", "(?<!"}) {
      if (!StartsWith(look)) continue;
      group.assertion = true;
      return Enter(group, look.size(), look);
    }
    if (StartsWith("(?P<") || StartsWith("(?<")) {
      at_ += StartsWith("(?<") ? 3 : 4;
      return NamedGroup(group);
    }
    if (StartsWith("(?")) {
      at_ += 2;
      return FlagGroup(group);
    }
    ++groups_;
    return Enter(group, 1, "(");
  }

  arrow::Status Enter(const Open& group, size_t skip, std::string_view text) {
    open_.push_back(group);
    at_ += skip;
    out_ += text;
    NoAtom();
    return arrow::Status::OK();
  }

  arrow::Status CloseGroup() {
    if (open_.empty()) return Bad("unopened )");
    ++at_;
    out_ += ')';
    flags_ = open_.back().flags;
    atom_ = open_.back().begin;
    wrap_ = open_.back().assertion;
    repeats_ = 0;
    open_.pop_back();
    return arrow::Status::OK();
  }

  arrow::Status NamedGroup(const Open& group) {
    const size_t end = in_.find('>', at_);
    if (end == std::string_view::npos) return Bad("the name of a group has no >");
    const std::string_view name = in_.substr(at_, end - at_);
    bool good = !name.empty() && !IsDigit(name[0]) && name[0] != '.' && name[0] != '[';
    for (char c : name) {
      good = good && (IsLetter(c) || IsDigit(c) || c == '_' || c == '.' || c == '[' || c == ']' ||
                      static_cast<unsigned char>(c) >= 0x80);
    }
    if (!good) return Bad("the name of a group is letters, digits, _, . and [], not digits first");
    for (const auto& [known, number] : names_) {
      if (known == name) return Bad(Concat("two groups are named ", name));
    }
    if (names_.size() >= kMaxNames) return Bad("too many named groups");
    names_.emplace_back(name, ++groups_);
    return Enter(group, name.size() + 1, "(");
  }

  arrow::Status FlagGroup(const Open& group) {
    bool on = true;
    bool any = false;
    for (;; ++at_) {
      if (AtEnd()) return Bad("missing ), unclosed group");
      const char c = Peek();
      if (c == ':' || c == ')') break;
      if (c == '-' && on) {
        on = false;
        any = false;
        continue;
      }
      if (bool* flag = FlagOf(c); flag != nullptr) {
        *flag = on;
      } else if (c != 'u' || !on) {
        return Bad(Concat("(?", std::string(1, c), " is not supported"));
      }
      any = true;
    }
    const bool scoped = Peek() == ':';
    if (!any && (!scoped || !on)) return Bad("a flag is missing after (?");
    const std::string text = "(?" + FlagText();
    if (scoped) return Enter(group, 1, text + ":");
    ++at_;
    out_ += text + ")";
    NoAtom();
    return arrow::Status::OK();
  }

  bool* FlagOf(char c) {
    switch (c) {
      case 'i':
        return &flags_.fold;
      case 'm':
        return &flags_.lines;
      case 's':
        return &flags_.dot_all;
      case 'U':
        return &flags_.lazy;
      case 'x':
        return &flags_.verbose;
      default:
        return nullptr;
    }
  }

  // The flags that PCRE2 must know, on and off.
  std::string FlagText() const {
    std::string on;
    std::string off;
    (flags_.fold ? on : off) += 'i';
    (flags_.lines ? on : off) += 'm';
    (flags_.dot_all ? on : off) += 's';
    return off.empty() ? on : on + "-" + off;
  }

  // ---- Repetitions ----

  arrow::Status Repeat(const std::string& text) {
    if (atom_ == kNoAtom) return Bad("a repetition has nothing to repeat");
    if (++repeats_ > kMaxNesting) return Bad("repetitions are nested too deeply");
    // PCRE2 would read a second repetition as a property of the first.
    if (wrap_) {
      out_.insert(atom_, "(?:");
      out_ += ')';
    }
    wrap_ = true;
    out_ += text;
    bool lazy = flags_.lazy;
    if (Peek() == '?') {
      ++at_;
      lazy = !lazy;
    }
    if (lazy) out_ += '?';
    return arrow::Status::OK();
  }

  void SkipSpaces() {
    while (IsBlank(Peek())) ++at_;
  }

  arrow::Result<std::optional<uint32_t>> Number() {
    SkipSpaces();
    std::optional<uint32_t> value;
    for (; IsDigit(Peek()); ++at_) {
      value = value.value_or(0) * 10 + static_cast<uint32_t>(Peek() - '0');
      if (*value > kMaxCount) return Bad(Concat("a repetition is at most ", kMaxCount, " times"));
    }
    SkipSpaces();
    return value;
  }

  arrow::Status Counted() {
    ++at_;
    ARROW_ASSIGN_OR_RAISE(const auto least, Number());
    std::optional<uint32_t> most = least;
    const bool comma = Peek() == ',';
    if (comma) {
      ++at_;
      ARROW_ASSIGN_OR_RAISE(most, Number());
    }
    if (Peek() != '}' || !least) return Bad("a repetition is {n}, {n,} or {n,m}");
    ++at_;
    if (most && *least > *most) return Bad("a repetition has its smaller count last");
    std::string text = Concat("{", *least);
    if (comma) text += ",";
    if (comma && most) text += Concat(*most);
    return Repeat(text + "}");
  }

  // ---- Escapes ----

  arrow::Status Escape() {
    if (at_ + 1 >= in_.size()) return Bad("it ends in a backslash");
    const char c = Peek(1);
    if (c >= '1' && c <= '9') return BackReference();
    if (c == 'b' || c == 'B' || c == '<' || c == '>') return WordBoundary(c);
    if (c == 'A' || c == 'z') {
      Atom(in_.substr(at_, 2), true);
      at_ += 2;
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const Escaped escaped, OneCharacter());
    if (escaped.character) return Literal(*escaped.character);
    Atom(escaped.set.Pattern(false));
    return arrow::Status::OK();
  }

  arrow::Status BackReference() {
    std::string number;
    for (++at_; IsDigit(Peek()) && number.size() < 6; ++at_) number += Peek();
    Atom("\\g{" + number + "}");
    return arrow::Status::OK();
  }

  arrow::Status WordBoundary(char c) {
    const std::string word = "[" + std::string(kWord) + "]";
    const std::string before = "(?<=" + word + ")";
    const std::string not_before = "(?<!" + word + ")";
    const std::string behind = "(?=" + word + ")";
    const std::string not_behind = "(?!" + word + ")";
    at_ += 2;
    std::string_view kind;
    if (c == 'b' && Peek() == '{' && (IsLetter(Peek(1)) || Peek(1) == '-')) {
      const size_t end = in_.find('}', at_);
      if (end == std::string_view::npos) return Bad("\\b{ has no }");
      kind = in_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    }
    if (c == '<' || kind == "start") {
      Atom("(?:" + not_before + behind + ")");
    } else if (c == '>' || kind == "end") {
      Atom("(?:" + before + not_behind + ")");
    } else if (kind == "start-half") {
      Atom(not_before, true);
    } else if (kind == "end-half") {
      Atom(not_behind, true);
    } else if (!kind.empty()) {
      return Bad("\\b{...} is one of start, end, start-half, end-half");
    } else if (c == 'b') {
      Atom("(?(?<=" + word + ")" + not_behind + "|" + behind + ")", true);
    } else {
      Atom("(?(?<=" + word + ")" + behind + "|" + not_behind + ")", true);
    }
    return arrow::Status::OK();
  }

  // An escape that stands for one character, in or out of a class.
  arrow::Result<Escaped> OneCharacter() {
    const char c = Peek(1);
    at_ += 2;
    switch (c) {
      case 'd':
        return Escaped{{}, {"\\p{Nd}", {}}};
      case 'D':
        return Escaped{{}, {"\\P{Nd}", {}}};
      case 's':
        return Escaped{{}, {"\\p{White_Space}", {}}};
      case 'S':
        return Escaped{{}, {"\\P{White_Space}", {}}};
      case 'w':
      case 'W':
        return Escaped{{}, CharacterSet::Of(kWord, c == 'W')};
      case 'p':
      case 'P':
        return Property(c == 'P');
      case 'x':
        return HexCharacter(2);
      case 'u':
        return HexCharacter(4);
      case 'U':
        return HexCharacter(8);
      case 'n':
        return Escaped{U'\n', {}};
      case 't':
        return Escaped{U'\t', {}};
      case 'r':
        return Escaped{U'\r', {}};
      case 'f':
        return Escaped{U'\f', {}};
      case 'v':
        return Escaped{U'\v', {}};
      case 'a':
        return Escaped{U'\a', {}};
      default:
        break;
    }
    if (IsLetter(c) || IsDigit(c) || static_cast<unsigned char>(c) >= 0x80) {
      at_ -= 2;
      return Bad("unknown escape; write \\x{...} for a character");
    }
    return Escaped{static_cast<char32_t>(c), {}};
  }

  arrow::Result<Escaped> HexCharacter(size_t digits) {
    const bool braces = Peek() == '{';
    if (braces) ++at_;
    char32_t value = 0;
    size_t count = 0;
    for (; braces ? Peek() != '}' : count < digits; ++at_, ++count) {
      const char c = Lower(Peek());
      const bool letter = c >= 'a' && c <= 'f';
      if (AtEnd() || (!letter && !IsDigit(c))) return Bad("hexadecimal digits expected");
      value = value * 16 + static_cast<char32_t>(letter ? c - 'a' + 10 : c - '0');
      if (value > 0x10FFFF) return Bad("no character has so large a number");
    }
    if (braces) ++at_;
    if (count == 0) return Bad("hexadecimal digits expected");
    if (value >= 0xD800 && value < 0xE000) return Bad("a surrogate is no character");
    return Escaped{value, {}};
  }

  // Behind \p or \P.
  arrow::Result<Escaped> Property(bool negated) {
    std::string_view text = in_.substr(at_, 1);
    if (Peek() == '{') {
      const size_t end = in_.find('}', at_);
      if (end == std::string_view::npos) return Bad("\\p{ has no }");
      text = in_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    } else {
      ++at_;
    }
    std::string kind;
    if (const size_t sign = text.find_first_of(":="); sign != std::string_view::npos) {
      kind = Loose(text.substr(0, sign));
      if (!kind.empty() && kind.back() == '!') {
        kind.pop_back();
        negated = !negated;
      }
      text = text.substr(sign + 1);
    }
    const std::string found = FindProperty(kind, Loose(text));
    if (found.empty()) return Bad(Concat("unknown property of characters \\p{", text, "}"));
    return Escaped{{}, {(negated ? "\\P{" : "\\p{") + found + "}", {}}};
  }

  // Lower case without blanks, _ and -; what can't be part of a name becomes ?.
  static std::string Loose(std::string_view name) {
    std::string out;
    for (char c : name.substr(0, 64)) {
      if (c == ' ' || c == '_' || c == '-') continue;
      out += IsLetter(c) || IsDigit(c) || c == '!' || c == '&' ? Lower(c) : '?';
    }
    return out;
  }

  // PCRE2's name of a property; empty if there is none.
  std::string FindProperty(const std::string& kind, const std::string& name) const {
    const bool bare = kind.empty();
    if (name.empty()) return "";
    if (bare || kind == "gc" || kind == "generalcategory") {
      if (std::string category = Category(name); !category.empty()) {
        const bool cased = category == "Lu" || category == "Ll" || category == "Lt";
        return flags_.fold && cased ? "L&" : category;
      }
      if (name == "any") return "Any";
      if (name == "ascii") return "ASCII";
      if (!bare) return "";
    }
    std::string found;
    if (bare || kind == "sc" || kind == "script") found = "sc:" + name;
    if (kind == "scx" || kind == "scriptextensions") found = "scx:" + name;
    if (found.empty()) return "";
    if (IsCharacterProperty(found)) return found;
    if (!bare || !IsCharacterProperty(name)) return "";
    const bool cased =
        name == "upper" || name == "uppercase" || name == "lower" || name == "lowercase";
    return flags_.fold && cased ? "Cased" : name;
  }

  static std::string Category(const std::string& name) {
    if (name == "assigned") return "^Cn";
    for (const Named& known : kCategories) {
      const bool is_short = known.members.size() == name.size() &&
                            Lower(known.members[0]) == name[0] &&
                            (name.size() == 1 || known.members[1] == name[1]);
      if (name == known.name || is_short) return std::string(known.members);
    }
    if (name == "lc") return "L&";
    if (name == "zs" || name == "spaceseparator") return "Zs";
    if (name == "cntrl") return "Cc";
    if (name == "digit") return "Nd";
    if (name == "punct") return "P";
    return name == "combiningmark" ? "M" : "";
  }

  // ---- Classes ----

  // At a [. A pattern that matches one character.
  arrow::Result<std::string> Class(int depth) {
    if (depth > kMaxNesting) return Bad("classes are nested too deeply");
    ++at_;
    const bool negated = Peek() == '^';
    if (negated) ++at_;
    CharacterSet set;
    for (; Peek() == '-'; ++at_) set.members += "\\-";
    if (set.members.empty() && Peek() == ']') {
      set.members += "\\]";
      ++at_;
    }
    std::optional<CharacterSet> left;
    char operation = '\0';
    while (true) {
      SkipBlanks();
      if (AtEnd()) return Bad("missing ], unclosed class");
      if (Peek() == ']') break;
      if (StartsWith("&&") || StartsWith("--") || StartsWith("~~")) {
        left = left ? Combine(*left, operation, set) : set;
        operation = Peek();
        set = {};
        at_ += 2;
      } else {
        ARROW_RETURN_NOT_OK(Member(depth, &set));
      }
      if (out_.size() + set.members.size() > kMaxOutput) return Bad("it is too large");
    }
    ++at_;
    if (left) set = Combine(*left, operation, set);
    std::string pattern = set.Pattern(negated);
    if (pattern.size() > kMaxOutput / 8) return Bad("it is too large");
    return pattern;
  }

  static CharacterSet Combine(const CharacterSet& left, char operation, const CharacterSet& right) {
    const std::string a = left.Pattern(false);
    const std::string b = right.Pattern(false);
    if (operation == '&') return {"", {"(?:(?=" + a + ")" + b + ")"}};
    std::string only_a = "(?:(?!" + b + ")" + a + ")";
    if (operation == '-') return {"", {std::move(only_a)}};
    return {"", {std::move(only_a), "(?:(?!" + a + ")" + b + ")"}};
  }

  arrow::Status Member(int depth, CharacterSet* set) {
    if (Peek() == '[') {
      if (const size_t end = PosixEnd(set); end > 0) {
        at_ = end;
        return arrow::Status::OK();
      }
      ARROW_ASSIGN_OR_RAISE(std::string inner, Class(depth + 1));
      set->parts.push_back(std::move(inner));
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const Escaped first, ClassItem());
    SkipBlanks();
    const bool range = Peek() == '-' && Peek(1) != '-' && NextBehindDash() != ']';
    if (!range) {
      if (!first.character) {
        set->Add(first.set);
      } else {
        set->members += Hex(*first.character);
      }
      return arrow::Status::OK();
    }
    ++at_;
    SkipBlanks();
    if (AtEnd()) return Bad("missing ], unclosed class");
    ARROW_ASSIGN_OR_RAISE(const Escaped last, ClassItem());
    if (!first.character || !last.character) return Bad("a range is between two characters");
    if (*first.character > *last.character) return Bad("a range has its smaller end last");
    set->members += Hex(*first.character) + "-" + Hex(*last.character);
    return arrow::Status::OK();
  }

  // What follows a dash, blanks left out if the pattern is verbose.
  char NextBehindDash() {
    const size_t dash = at_;
    ++at_;
    SkipBlanks();
    const char next = Peek();
    at_ = dash;
    return next;
  }

  arrow::Result<Escaped> ClassItem() {
    if (Peek() != '\\') return Escaped{NextCharacter(in_, &at_), {}};
    if (at_ + 1 >= in_.size()) return Bad("it ends in a backslash");
    return OneCharacter();
  }

  // The end of [:name:], whose members are added; 0 if there is none here.
  size_t PosixEnd(CharacterSet* set) const {
    if (!StartsWith("[:")) return 0;
    const size_t end = in_.find(":]", at_ + 2);
    if (end == std::string_view::npos) return 0;
    std::string_view name = in_.substr(at_ + 2, end - at_ - 2);
    const bool negated = !name.empty() && name[0] == '^';
    if (negated) name.remove_prefix(1);
    for (const Named& known : kPosixClasses) {
      if (known.name != name) continue;
      set->Add(CharacterSet::Of(known.members, negated));
      return end + 2;
    }
    return 0;
  }

  static constexpr size_t kNoAtom = static_cast<size_t>(-1);
  static constexpr size_t kMaxNames = 1000;

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  Flags flags_;
  std::vector<Open> open_;
  size_t atom_ = kNoAtom;  // where in out_ the last thing that can be repeated begins
  bool wrap_ = false;      // it needs a group around it before a repetition
  int repeats_ = 0;
  int groups_ = 0;
  std::vector<std::pair<std::string, int>> names_;
};

}  // namespace

arrow::Result<RegexSource> TranslateRegex(std::string_view pattern, const RegexOptions& options) {
  return Translator(pattern, options).Run();
}

}  // namespace glaive::expr
