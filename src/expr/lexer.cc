#include "expr/lexer.h"

#include <algorithm>

#include "base/status.h"
#include "expr/parse.h"

namespace glaive::expr {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

// Decodes hex digits to bytes; false if one is no hex digit or half a byte is left over.
bool DecodeHex(std::string_view digits, std::string* bytes) {
  if (digits.size() % 2 != 0) return false;
  for (size_t i = 0; i < digits.size(); i += 2) {
    const int high = HexValue(digits[i]);
    const int low = HexValue(digits[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes->push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

constexpr size_t kExcerptBefore = 60;
constexpr size_t kExcerptAfter = 40;

}  // namespace

bool IsPlainIdentifier(std::string_view name) {
  return !name.empty() && IsLetter(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsLetter(c) || IsDigit(c); });
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string Locate(std::string_view sql, uint32_t begin, uint32_t end) {
  const size_t at = std::min<size_t>(begin, sql.size());
  const size_t last = std::clamp<size_t>(end, at, sql.size());
  const size_t break_before = at == 0 ? std::string_view::npos : sql.rfind('\n', at - 1);
  const size_t line_begin = break_before == std::string_view::npos ? 0 : break_before + 1;
  const size_t line_end = std::min(sql.find('\n', at), sql.size());
  const auto line =
      std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
  const size_t column = CountCharacters(sql.substr(line_begin, at - line_begin)) + 1;

  // A window of the line, cut between characters.
  size_t from = at - line_begin > kExcerptBefore ? at - kExcerptBefore : line_begin;
  while (from < at && IsContinuation(sql[from])) ++from;
  size_t to = std::min(line_end, std::max(at, std::min(last, at + kExcerptAfter)) + kExcerptAfter);
  while (to < line_end && IsContinuation(sql[to])) ++to;
  std::string excerpt(sql.substr(from, to - from));
  for (char& c : excerpt) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  const std::string_view cut = from > line_begin ? "..." : "";
  const size_t marked = CountCharacters(sql.substr(at, std::min({last, line_end, to}) - at));
  return Concat("at line ", line, ", column ", column, ":\n  ", cut, excerpt,
                to < line_end ? "..." : "", "\n  ",
                std::string(cut.size() + CountCharacters(sql.substr(from, at - from)), ' '),
                std::string(std::max<size_t>(marked, 1), '^'));
}

arrow::Status SyntaxError(std::string_view sql, uint32_t begin, uint32_t end,
                          std::string_view what) {
  return InvalidArgument(what, " ", Locate(sql, begin, end));
}

arrow::Status Cursor::FailAt(size_t begin, size_t end, std::string_view what) const {
  return SyntaxError(sql_, static_cast<uint32_t>(begin), static_cast<uint32_t>(end), what);
}

arrow::Status Cursor::Fail(std::string_view what) const {
  return FailAt(token_.begin, token_.end, what);
}

arrow::Status Cursor::Unexpected(std::string_view expected) const {
  std::string found = "the end";
  if (token_.kind != TokenKind::kEnd) {
    constexpr size_t kShown = 40;
    size_t length = std::min<size_t>(token_.end - token_.begin, kShown);
    const std::string_view whole = sql_.substr(token_.begin, token_.end - token_.begin);
    while (length < whole.size() && IsContinuation(whole[length])) ++length;
    found = Concat("\"", whole.substr(0, length), length < whole.size() ? "...\"" : "\"");
  }
  return Fail(Concat("syntax error: expected ", expected, ", found ", found));
}

arrow::Result<bool> Cursor::AcceptSymbol(std::string_view symbol) {
  if (!IsSymbol(symbol)) return false;
  ARROW_RETURN_NOT_OK(Advance());
  return true;
}

arrow::Result<bool> Cursor::AcceptWord(std::string_view word) {
  if (!IsWord(word)) return false;
  ARROW_RETURN_NOT_OK(Advance());
  return true;
}

arrow::Status Cursor::ExpectSymbol(std::string_view symbol) {
  if (!IsSymbol(symbol)) return Unexpected(Concat("\"", symbol, "\""));
  return Advance();
}

arrow::Status Cursor::ExpectWord(std::string_view word) {
  if (!IsWord(word)) {
    std::string upper(word);
    for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
    return Unexpected(upper);
  }
  return Advance();
}

arrow::Status Cursor::SkipBlanks() {
  while (at_ < sql_.size()) {
    if (IsBlank(sql_[at_])) {
      ++at_;
    } else if (sql_[at_] == '-' && At(at_ + 1) == '-') {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    } else if (sql_[at_] == '/' && At(at_ + 1) == '*') {
      const size_t begin = at_;
      size_t open = 1;
      at_ += 2;
      while (open > 0) {
        if (at_ + 1 >= sql_.size()) {
          return FailAt(begin, begin + 2, "syntax error: comment without its end \"*/\"");
        }
        if (sql_[at_] == '/' && sql_[at_ + 1] == '*') {
          ++open;
          at_ += 2;
        } else if (sql_[at_] == '*' && sql_[at_ + 1] == '/') {
          --open;
          at_ += 2;
        } else {
          ++at_;
        }
      }
    } else {
      break;
    }
  }
  return arrow::Status::OK();
}

arrow::Status Cursor::Advance() {
  last_end_ = token_.end;
  ARROW_RETURN_NOT_OK(SkipBlanks());
  token_.text.clear();
  token_.word.clear();
  token_.begin = static_cast<uint32_t>(at_);
  token_.kind = TokenKind::kEnd;
  if (at_ < sql_.size()) {
    const char c = sql_[at_];
    const char next = At(at_ + 1);
    if ((c == 'x' || c == 'X') && next == '\'') {
      ARROW_RETURN_NOT_OK(LexBinaryText());
    } else if (IsLetter(c)) {
      ARROW_RETURN_NOT_OK(LexWord());
    } else if (c == '0' && (next == 'x' || next == 'X')) {
      ARROW_RETURN_NOT_OK(LexHex());
    } else if (IsDigit(c) || (c == '.' && IsDigit(next))) {
      ARROW_RETURN_NOT_OK(LexNumber());
    } else if (c == '\'') {
      token_.kind = TokenKind::kText;
      ARROW_RETURN_NOT_OK(LexQuoted('\'', "text"));
    } else if (c == '"' || c == '`') {
      token_.kind = TokenKind::kQuoted;
      ARROW_RETURN_NOT_OK(LexQuoted(c, "quoted name"));
      if (token_.text.empty()) return FailAt(token_.begin, at_, "syntax error: empty name");
    } else if (c == '?' || c == '$' || (c == ':' && (IsLetter(next) || next == '`'))) {
      ARROW_RETURN_NOT_OK(LexParameter(c));
    } else {
      ARROW_RETURN_NOT_OK(LexSymbol());
    }
  }
  token_.end = static_cast<uint32_t>(at_);
  return arrow::Status::OK();
}

arrow::Status Cursor::LexWord() {
  const size_t begin = at_;
  while (at_ < sql_.size() && (IsLetter(sql_[at_]) || IsDigit(sql_[at_]))) ++at_;
  token_.kind = TokenKind::kWord;
  token_.text = sql_.substr(begin, at_ - begin);
  token_.word = LowerCase(token_.text);
  return arrow::Status::OK();
}

arrow::Status Cursor::LexNumber() {
  const size_t begin = at_;
  const auto digits = [this] {
    while (IsDigit(At(at_)) ||
           (At(at_) == '_' && at_ > 0 && IsDigit(sql_[at_ - 1]) && IsDigit(At(at_ + 1)))) {
      if (sql_[at_] != '_') token_.text.push_back(sql_[at_]);
      ++at_;
    }
  };
  token_.kind = TokenKind::kInteger;
  digits();
  if (At(at_) == '.') {
    token_.kind = TokenKind::kDecimal;
    token_.text.push_back('.');
    ++at_;
    digits();
  }
  if (At(at_) == 'e' || At(at_) == 'E') {
    const bool sign = At(at_ + 1) == '+' || At(at_ + 1) == '-';
    if (IsDigit(At(at_ + (sign ? 2 : 1)))) {
      token_.kind = TokenKind::kDecimal;
      token_.text.push_back('e');
      if (sign) token_.text.push_back(sql_[at_ + 1]);
      at_ += sign ? 2 : 1;
      digits();
    }
  }
  if (IsLetter(At(at_))) {
    while (IsLetter(At(at_)) || IsDigit(At(at_))) ++at_;
    return FailAt(begin, at_,
                  "syntax error: a number that runs into letters (names that start with a digit "
                  "need back-ticks)");
  }
  return arrow::Status::OK();
}

arrow::Status Cursor::LexHex() {
  const size_t begin = at_;
  at_ += 2;
  while (IsLetter(At(at_)) || IsDigit(At(at_))) ++at_;
  token_.kind = TokenKind::kBinary;
  const std::string_view digits = sql_.substr(begin + 2, at_ - begin - 2);
  if (digits.empty() || !DecodeHex(digits, &token_.text)) {
    return FailAt(begin, at_,
                  "syntax error: a binary literal 0x.. needs an even number of hex digits");
  }
  return arrow::Status::OK();
}

arrow::Status Cursor::LexBinaryText() {
  const size_t begin = at_;
  ++at_;
  ARROW_RETURN_NOT_OK(LexQuoted('\'', "binary literal"));
  token_.kind = TokenKind::kBinary;
  std::string bytes;
  if (!DecodeHex(token_.text, &bytes)) {
    return FailAt(begin, at_,
                  "syntax error: a binary literal X'..' needs an even number of hex digits");
  }
  token_.text = std::move(bytes);
  return arrow::Status::OK();
}

// From the opening quote to behind the closing one; a doubled quote stands for itself.
arrow::Status Cursor::LexQuoted(char quote, std::string_view what) {
  const size_t begin = at_;
  ++at_;
  for (;;) {
    const size_t close = sql_.find(quote, at_);
    if (close == std::string_view::npos) {
      return FailAt(begin, begin + 1,
                    Concat("syntax error: ", what, " without its closing ", quote));
    }
    token_.text.append(sql_.substr(at_, close - at_));
    at_ = close + 1;
    if (At(at_) != quote || at_ >= sql_.size()) return arrow::Status::OK();
    token_.text.push_back(quote);
    ++at_;
  }
}

arrow::Status Cursor::LexParameter(char sign) {
  const size_t begin = at_;
  ++at_;
  token_.kind = TokenKind::kPositional;
  if (sign == '?') return arrow::Status::OK();
  if (At(at_) == '`') {
    ARROW_RETURN_NOT_OK(LexQuoted('`', "name of a parameter"));
    token_.kind = TokenKind::kNamed;
    if (token_.text.empty()) return FailAt(begin, at_, "syntax error: empty name");
    return arrow::Status::OK();
  }
  if (!IsLetter(At(at_)) && !IsDigit(At(at_))) {
    return FailAt(begin, at_ + 1,
                  At(at_) == '$'
                      ? "syntax error: text in dollar quotes is not supported; write "
                        "'text' with quotes doubled"
                      : "syntax error: \"$\" needs a number or a name, as in $1 or $name");
  }
  const bool named = IsLetter(At(at_));
  while (IsDigit(At(at_)) || (named && IsLetter(At(at_)))) ++at_;
  token_.text = sql_.substr(begin + 1, at_ - begin - 1);
  if (named) token_.kind = TokenKind::kNamed;
  return arrow::Status::OK();
}

arrow::Status Cursor::LexSymbol() {
  static constexpr std::string_view kSymbols[] = {
      "!~*", "||", "<<", ">>", "::", "==", "!=", "<>", "<=", ">=", "->", "!~",
      "~*",  "(",  ")",  "[",  "]",  ",",  ".",  "+",  "-",  "*",  "/",  "%",
      "=",   "<",  ">",  "&",  "|",  "^",  "~",  "!",  ":",  ";"};
  token_.kind = TokenKind::kSymbol;
  for (const std::string_view symbol : kSymbols) {
    if (sql_.substr(at_, symbol.size()) == symbol) {
      token_.text = symbol;
      at_ += symbol.size();
      return arrow::Status::OK();
    }
  }
  return FailAt(at_, at_ + 1, "syntax error: a character that has no meaning here");
}

}  // namespace glaive::expr
