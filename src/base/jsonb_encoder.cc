// Text to JSONB in two passes: the text becomes a flat list of nodes, in which each container knows
// its encoded size once it is closed; then the bytes are written front to back.
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include <arrow/util/utf8.h>

#include "base/jsonb.h"
#include "base/jsonb_format.h"
#include "base/status.h"

namespace glaive::jsonb {

namespace {

struct Node {
  uint32_t kind = kNullEntry;  ///< of the entry
  bool is_object = false;
  uint64_t length = 0;  ///< of the bytes that the entry stands for
  size_t payload = 0;   ///< scalars: where the bytes begin; containers: first place in `children`
  size_t children = 0;  ///< containers: how many (an object: keys and values)
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  arrow::Status Run() {
    ARROW_RETURN_NOT_OK(ParseValue(0));
    SkipSpace();
    return at_ == text_.size() ? arrow::Status::OK() : Wrong("text after the end of the value");
  }

  void Write(std::string* out) const {
    const Node& root = nodes_[root_];
    if (root.kind != kContainerEntry) {
      AppendWord(kScalarHeader, out);
      AppendWord(Entry(root), out);
    }
    WriteNode(root, out);
  }

 private:
  arrow::Status Wrong(std::string_view what) const {
    return InvalidArgument("invalid JSON at byte ", at_, ": ", what);
  }

  bool AtEnd() const { return at_ == text_.size(); }

  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }

  void SkipSpace() {
    while (!AtEnd() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) {
      return false;
    }
    ++at_;
    return true;
  }

  /// Leaves the node's place in `root_`.
  arrow::Status ParseValue(int depth) {
    if (depth >= kMaxJsonDepth) {
      return Wrong(Concat("nested deeper than ", kMaxJsonDepth));
    }
    SkipSpace();
    switch (Peek()) {
      case '{':
        return ParseContainer(depth, true);
      case '[':
        return ParseContainer(depth, false);
      case '"':
        return ParseString();
      case 't':
        return ParseWord("true", kTrueEntry);
      case 'f':
        return ParseWord("false", kFalseEntry);
      case 'n':
        return ParseWord("null", kNullEntry);
      default:
        if (Peek() == '-' || IsDigit(Peek())) {
          return ParseNumber();
        }
        return Wrong(AtEnd() ? "the text ends where a value is expected" : "expected a value");
    }
  }

  arrow::Status Push(const Node& node) {
    if (node.length > kMaxLength) {
      return Wrong(Concat("a value takes ", node.length, " bytes, the most is ", kMaxLength));
    }
    root_ = nodes_.size();
    nodes_.push_back(node);
    return arrow::Status::OK();
  }

  arrow::Status ParseWord(std::string_view word, uint32_t kind) {
    if (text_.substr(at_, word.size()) != word) {
      return Wrong(Concat("expected ", word));
    }
    at_ += word.size();
    Node node;
    node.kind = kind;
    return Push(node);
  }

  arrow::Status ParseContainer(int depth, bool is_object) {
    const char close = is_object ? '}' : ']';
    ++at_;
    const size_t begin = pending_.size();
    SkipSpace();
    if (!Take(close)) {
      do {
        if (is_object) {
          SkipSpace();
          if (Peek() != '"') {
            return Wrong("expected a key in double quotes");
          }
          ARROW_RETURN_NOT_OK(ParseString());
          pending_.push_back(root_);
          SkipSpace();
          if (!Take(':')) {
            return Wrong("expected ':'");
          }
        }
        ARROW_RETURN_NOT_OK(ParseValue(depth + 1));
        pending_.push_back(root_);
        SkipSpace();
      } while (Take(','));
      if (!Take(close)) {
        return Wrong(is_object ? "expected ',' or '}'" : "expected ',' or ']'");
      }
    }
    if (is_object) {
      ARROW_RETURN_NOT_OK(SortMembers(begin));
    }
    Node node;
    node.kind = kContainerEntry;
    node.is_object = is_object;
    node.payload = children_.size();
    node.children = pending_.size() - begin;
    node.length = 4 + 4 * uint64_t{node.children};
    for (size_t i = begin; i < pending_.size(); ++i) {
      node.length += nodes_[pending_[i]].length;
      children_.push_back(pending_[i]);
    }
    pending_.resize(begin);
    return Push(node);
  }

  std::string_view TextOf(const Node& node) const {
    return std::string_view(payload_).substr(node.payload, node.length);
  }

  /// Turns key, value, key, value ... of the object into all keys, sorted, then their values.
  arrow::Status SortMembers(size_t begin) {
    std::vector<std::pair<size_t, size_t>> members;
    for (size_t i = begin; i < pending_.size(); i += 2) {
      members.emplace_back(pending_[i], pending_[i + 1]);
    }
    const auto key = [this](const auto& member) { return TextOf(nodes_[member.first]); };
    std::sort(members.begin(), members.end(),
              [&key](const auto& a, const auto& b) { return key(a) < key(b); });
    for (size_t i = 0; i < members.size(); ++i) {
      if (i > 0 && key(members[i]) == key(members[i - 1])) {
        return Wrong(Concat("key '", key(members[i]), "' occurs more than once in an object"));
      }
      pending_[begin + i] = members[i].first;
      pending_[begin + members.size() + i] = members[i].second;
    }
    return arrow::Status::OK();
  }

  arrow::Status ParseString() {
    ++at_;
    Node node;
    node.kind = kStringEntry;
    node.payload = payload_.size();
    for (;;) {
      const size_t begin = at_;
      while (!AtEnd() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<uint8_t>(text_[at_]) >= 0x20) {
        ++at_;
      }
      payload_.append(text_, begin, at_ - begin);
      if (Take('"')) {
        break;
      }
      if (!Take('\\')) {
        return Wrong(AtEnd() ? "the text ends inside a string"
                             : "a control character in a string must be escaped");
      }
      ARROW_RETURN_NOT_OK(ParseEscape());
    }
    node.length = payload_.size() - node.payload;
    return Push(node);
  }

  arrow::Status ParseEscape() {
    const char c = Peek();
    switch (c) {
      case '"':
      case '\\':
      case '/':
        payload_ += c;
        break;
      case 'b':
        payload_ += '\b';
        break;
      case 'f':
        payload_ += '\f';
        break;
      case 'n':
        payload_ += '\n';
        break;
      case 'r':
        payload_ += '\r';
        break;
      case 't':
        payload_ += '\t';
        break;
      case 'u':
        ++at_;
        return ParseUnicode();
      default:
        return Wrong("unknown escape in a string");
    }
    ++at_;
    return arrow::Status::OK();
  }

  /// Four hexadecimal digits at `at`.
  bool HexAt(size_t at, uint32_t* code) const {
    if (text_.size() < 4 || at > text_.size() - 4) {
      return false;
    }
    const char* end = text_.data() + at + 4;
    const auto parsed = std::from_chars(text_.data() + at, end, *code, 16);
    return parsed.ec == std::errc() && parsed.ptr == end;
  }

  arrow::Status ParseUnicode() {
    uint32_t code = 0;
    if (!HexAt(at_, &code)) {
      return Wrong("expected four hexadecimal digits");
    }
    const size_t begin = at_ - 2;  // of the backslash
    at_ += 4;
    const bool high = code >= 0xD800 && code < 0xDC00;
    uint32_t low = 0;
    const bool pair = high && text_.substr(at_, 2) == "\\u" && HexAt(at_ + 2, &low);
    if (pair && low >= 0xDC00 && low < 0xE000) {
      at_ += 6;
      AppendUtf8(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
    } else if (code >= 0xD800 && code < 0xE000) {
      at_ += pair ? 6 : 0;
      payload_.append(text_, begin, at_ - begin);
    } else {
      AppendUtf8(code);
    }
    return arrow::Status::OK();
  }

  void AppendUtf8(uint32_t code) {
    const auto byte = [this](uint32_t value) { payload_ += static_cast<char>(value); };
    if (code < 0x80) {
      byte(code);
    } else if (code < 0x800) {
      byte(0xC0 | code >> 6);
      byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      byte(0xE0 | code >> 12);
      byte(0x80 | (code >> 6 & 0x3F));
      byte(0x80 | (code & 0x3F));
    } else {
      byte(0xF0 | code >> 18);
      byte(0x80 | (code >> 12 & 0x3F));
      byte(0x80 | (code >> 6 & 0x3F));
      byte(0x80 | (code & 0x3F));
    }
  }

  bool SkipDigits() {
    const size_t begin = at_;
    while (IsDigit(Peek())) {
      ++at_;
    }
    return at_ > begin;
  }

  arrow::Status ParseNumber() {
    const size_t begin = at_;
    bool is_integer = true;
    const bool negative = Take('-');
    if (!Take('0') && !SkipDigits()) {
      return Wrong("expected a digit");
    }
    if (Take('.')) {
      is_integer = false;
      if (!SkipDigits()) {
        return Wrong("expected a digit after the point");
      }
    }
    if (Take('e') || Take('E')) {
      is_integer = false;
      if (!Take('-')) {
        (void)Take('+');
      }
      if (!SkipDigits()) {
        return Wrong("expected a digit in the exponent");
      }
    }
    const std::string_view number = text_.substr(begin, at_ - begin);
    return is_integer && PushInteger(number, negative) ? pushed_ : PushFloat(number);
  }

  /// False if it does not fit into 64 bits.
  bool PushInteger(std::string_view text, bool negative) {
    const char* end = text.data() + text.size();
    if (negative) {
      int64_t value = 0;
      if (std::from_chars(text.data(), end, value).ec != std::errc()) {
        return false;
      }
      const int bytes = value >= INT8_MIN ? 1 : value >= INT16_MIN ? 2 : value >= INT32_MIN ? 4 : 8;
      pushed_ = value == 0 ? PushBytes(kZero, 0, 0)
                           : PushBytes(kSigned, static_cast<uint64_t>(value), bytes);
      return true;
    }
    uint64_t value = 0;
    if (std::from_chars(text.data(), end, value).ec != std::errc()) {
      return false;
    }
    const int bytes = value <= UINT8_MAX    ? 1
                      : value <= UINT16_MAX ? 2
                      : value <= UINT32_MAX ? 4
                                            : 8;
    pushed_ = value == 0 ? PushBytes(kZero, 0, 0) : PushBytes(kUnsigned, value, bytes);
    return true;
  }

  arrow::Status PushFloat(std::string_view text) {
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec == std::errc::result_out_of_range) {
      if (!IsTiny(text)) {
        return Wrong("a number is beyond the range of float64");
      }
      value = text[0] == '-' ? -0.0 : 0.0;
    }
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return PushBytes(kFloat, bits, 8);
  }

  /// Whether a number that no float64 holds is too small rather than too large: its size is the
  /// exponent plus the place of the first digit that counts.
  static bool IsTiny(std::string_view text) {
    const size_t e = text.find_first_of("eE");
    const std::string_view digits = text.substr(0, e);
    const size_t point = std::min(digits.find('.'), digits.size());
    const size_t first = digits.find_first_of("123456789");
    const auto place = static_cast<int64_t>(point) - static_cast<int64_t>(first);
    if (e == std::string_view::npos) {
      return place < 0;
    }
    const bool plus = text[e + 1] == '+';
    int64_t exponent = 0;
    const char* end = text.data() + text.size();
    if (std::from_chars(text.data() + e + 1 + (plus ? 1 : 0), end, exponent).ec != std::errc()) {
      return text[e + 1] == '-';
    }
    return exponent < -place;
  }

  arrow::Status PushBytes(uint8_t kind, uint64_t value, int bytes) {
    Node node;
    node.kind = kNumberEntry;
    node.payload = payload_.size();
    node.length = static_cast<uint64_t>(bytes) + 1;
    payload_ += static_cast<char>(kind);
    for (int i = bytes - 1; i >= 0; --i) {
      payload_ += static_cast<char>(value >> (8 * i));
    }
    return Push(node);
  }

  static uint32_t Entry(const Node& node) { return node.kind | static_cast<uint32_t>(node.length); }

  static void AppendWord(uint32_t word, std::string* out) {
    char bytes[4];
    StoreBe32(bytes, word);
    out->append(bytes, sizeof(bytes));
  }

  void WriteNode(const Node& node, std::string* out) const {
    if (node.kind != kContainerEntry) {
      out->append(payload_, node.payload, node.length);
      return;
    }
    const auto count = static_cast<uint32_t>(node.children);
    AppendWord(node.is_object ? kObjectHeader | count / 2 : kArrayHeader | count, out);
    for (size_t i = 0; i < node.children; ++i) {
      AppendWord(Entry(nodes_[children_[node.payload + i]]), out);
    }
    for (size_t i = 0; i < node.children; ++i) {
      WriteNode(nodes_[children_[node.payload + i]], out);
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t root_ = 0;  ///< the node that was made last
  arrow::Status pushed_;
  std::string payload_;  ///< bytes of the scalars and keys
  std::vector<Node> nodes_;
  std::vector<size_t> children_;  ///< of the closed containers
  std::vector<size_t> pending_;   ///< of the open ones
};

}  // namespace

arrow::Status Encode(std::string_view text, std::string* out) {
  static const bool initialized = [] {
    arrow::util::InitializeUTF8();
    return true;
  }();
  GLAIVE_CHECK_ARGUMENT(initialized && arrow::util::ValidateUTF8(text),
                        "invalid JSON: the text is not UTF-8");
  Parser parser(text);
  ARROW_RETURN_NOT_OK(parser.Run());
  parser.Write(out);
  return arrow::Status::OK();
}

}  // namespace glaive::jsonb
