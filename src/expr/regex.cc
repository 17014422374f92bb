#include "expr/regex.h"

#include <algorithm>
#include <list>
#include <mutex>

#include <arrow/util/utf8.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/status.h"
#include "expr/regex_syntax.h"

namespace glaive::expr {
namespace {

constexpr size_t kMaxPatternBytes = 64 << 10;
constexpr size_t kCacheEntries = 64;
// Bounds of one search. The first is some tenth of a second; the others keep deep backtracking in
// memory that a thread can spare.
constexpr uint32_t kMatchLimit = 10'000'000;
constexpr uint32_t kDepthLimit = 1'000'000;
constexpr uint32_t kHeapLimitKiB = 64 << 10;
constexpr size_t kJitStackBytes = 32 << 20;

// What searches of one thread write to.
struct Scratch {
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  ~Scratch() {
    pcre2_match_data_free(data);
    if (stack != nullptr) pcre2_jit_stack_free(stack);
  }

  pcre2_match_data* For(uint32_t spans) {
    if (spans > capacity) {
      pcre2_match_data_free(data);
      data = pcre2_match_data_create(spans, nullptr);
      capacity = data == nullptr ? 0 : spans;
    }
    return data;
  }

  pcre2_match_data* data = nullptr;
  uint32_t capacity = 0;
  pcre2_jit_stack* stack = nullptr;
};

Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

// Only patterns that PCRE2 could compile to machine code ask for it.
pcre2_jit_stack* ThreadJitStack(void*) {
  Scratch& scratch = ThreadScratch();
  if (scratch.stack == nullptr) {
    scratch.stack = pcre2_jit_stack_create(32 << 10, kJitStackBytes, nullptr);
  }
  return scratch.stack;
}

// Settings that all searches share; nullptr without memory.
pcre2_match_context* MatchContext() {
  static pcre2_match_context* const context = [] {
    pcre2_match_context* made = pcre2_match_context_create(nullptr);
    if (made == nullptr) return made;
    pcre2_set_match_limit(made, kMatchLimit);
    pcre2_set_depth_limit(made, kDepthLimit);
    pcre2_set_heap_limit(made, kHeapLimitKiB);
    pcre2_jit_stack_assign(made, ThreadJitStack, nullptr);
    return made;
  }();
  return context;
}

pcre2_compile_context* CompileContext() {
  static pcre2_compile_context* const context = [] {
    pcre2_compile_context* made = pcre2_compile_context_create(nullptr);
    if (made != nullptr) pcre2_set_newline(made, PCRE2_NEWLINE_LF);
    return made;
  }();
  return context;
}

std::string Reason(int error) {
  unsigned char buffer[256];
  if (pcre2_get_error_message(error, buffer, sizeof(buffer)) < 0) return "unknown error";
  return reinterpret_cast<const char*>(buffer);
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

pcre2_code* CompileNative(std::string_view pattern, uint32_t options, int* error) {
  size_t offset = 0;
  return pcre2_compile(Bytes(pattern), pattern.size(),
                       options | PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
                           PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C,
                       error, &offset, CompileContext());
}

bool IsUtf8(std::string_view text) {
  static const bool initialized = [] {
    arrow::util::InitializeUTF8();
    return true;
  }();
  return initialized && arrow::util::ValidateUTF8(text);
}

std::string Key(std::string_view pattern, const RegexOptions& options) {
  std::string key;
  for (bool flag : {options.fold, options.lines, options.dot_all, options.lazy, options.verbose,
                    options.whole, options.native}) {
    key += flag ? '1' : '0';
  }
  key.append(pattern);
  return key;
}

// Patterns compiled lately, the last used first.
class Cache {
 public:
  using Value = std::shared_ptr<const Regex>;

  Value Find(const std::string& key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry.first == key; });
    if (found == entries_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front().second;
  }

  void Insert(std::string key, Value value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.emplace_front(std::move(key), std::move(value));
    if (entries_.size() > kCacheEntries) entries_.pop_back();
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<std::string, Value>> entries_;
};

Cache& RecentPatterns() {
  static Cache cache;
  return cache;
}

}  // namespace

struct Regex::Code {
  ~Code() { pcre2_code_free(code); }

  pcre2_code* code = nullptr;
};

Regex::~Regex() = default;

arrow::Result<std::shared_ptr<const Regex>> Regex::Compile(std::string_view pattern,
                                                           const RegexOptions& options) {
  GLAIVE_CHECK_ARGUMENT(pattern.size() <= kMaxPatternBytes, "the pattern ", ShowText(pattern),
                        " has ", pattern.size(), " bytes, the limit is ", kMaxPatternBytes);
  std::string key = Key(pattern, options);
  if (auto known = RecentPatterns().Find(key); known != nullptr) return known;
  ARROW_ASSIGN_OR_RAISE(auto made, Make(pattern, options));
  RecentPatterns().Insert(std::move(key), made);
  return made;
}

arrow::Result<std::shared_ptr<const Regex>> Regex::Make(std::string_view pattern,
                                                        const RegexOptions& options) {
  GLAIVE_CHECK_ARGUMENT(IsUtf8(pattern), "the pattern ", ShowText(pattern), " is not UTF-8");
  RegexSource source;
  if (options.native) {
    source.pattern = pattern;
  } else {
    ARROW_ASSIGN_OR_RAISE(source, TranslateRegex(pattern, options));
  }
  uint32_t flags = options.whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0;
  if (options.fold) flags |= PCRE2_CASELESS;
  if (options.lines) flags |= PCRE2_MULTILINE;
  if (options.dot_all) flags |= PCRE2_DOTALL;
  std::shared_ptr<Regex> made(new Regex);
  made->code_ = std::make_unique<Code>();
  int error = 0;
  made->code_->code = CompileNative(source.pattern, flags, &error);
  GLAIVE_CHECK_ARGUMENT(made->code_->code != nullptr, "bad regular expression ", ShowText(pattern),
                        ": ", Reason(error));
  // Where machine code can't be made, PCRE2 interprets the pattern.
  pcre2_jit_compile(made->code_->code, PCRE2_JIT_COMPLETE);
  uint32_t groups = 0;
  pcre2_pattern_info(made->code_->code, PCRE2_INFO_CAPTURECOUNT, &groups);
  made->num_groups_ = static_cast<int>(groups);
  made->names_ = std::move(source.names);
  made->shown_ = ShowText(pattern);
  return std::shared_ptr<const Regex>(std::move(made));
}

arrow::Result<bool> Regex::Run(std::string_view text, size_t from, size_t** found) const {
  if (text.data() == nullptr) text = std::string_view("");
  pcre2_match_data* data = ThreadScratch().For(static_cast<uint32_t>(num_groups_) + 1);
  if (data == nullptr) return ResourceExhausted("no memory to search ", shown_);
  int result = pcre2_match(code_->code, Bytes(text), text.size(), from, 0, data, MatchContext());
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) {  // the interpreter may use more
    result = pcre2_match(code_->code, Bytes(text), text.size(), from, PCRE2_NO_JIT, data,
                         MatchContext());
  }
  if (result == PCRE2_ERROR_NOMATCH) return false;
  if (result >= 0) {
    *found = pcre2_get_ovector_pointer(data);
    return true;
  }
  const bool too_long = result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_DEPTHLIMIT ||
                        result == PCRE2_ERROR_HEAPLIMIT || result == PCRE2_ERROR_JIT_STACKLIMIT;
  GLAIVE_CHECK_ARGUMENT(!too_long, "pattern needs too many steps on ", ShowText(text), ": ", shown_,
                        "; write it with fewer nested or neighbouring repetitions");
  return InvalidArgument("the pattern ", shown_, " can't be searched for in ", ShowText(text), ": ",
                         Reason(result));
}

arrow::Result<bool> Regex::Search(std::string_view text, size_t from,
                                  std::vector<Span>* groups) const {
  size_t* found = nullptr;
  ARROW_ASSIGN_OR_RAISE(const bool matched, Run(text, from, &found));
  if (!matched) return false;
  groups->resize(static_cast<size_t>(num_groups_) + 1);
  for (size_t i = 0; i < groups->size(); ++i) {
    const bool unset = found[2 * i] == PCRE2_UNSET;
    (*groups)[i] = unset ? Span{} : Span{found[2 * i], found[2 * i + 1]};
  }
  return true;
}

arrow::Result<bool> Regex::Matches(std::string_view text) const {
  size_t* found = nullptr;
  return Run(text, 0, &found);
}

int Regex::GroupNamed(std::string_view name) const {
  for (const auto& [known, number] : names_) {
    if (known == name) return number;
  }
  return -1;
}

std::string QuoteRegex(std::string_view text) {
  constexpr std::string_view kMeaningful = R"(\.+*?()|[]{}^$#&-~ )";
  std::string out;
  for (char c : text) {
    if (c == '\0') {
      out += "\\x{0}";
      continue;
    }
    if (kMeaningful.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string ShowText(std::string_view text) {
  constexpr size_t kShown = 60;
  size_t end = std::min(text.size(), kShown);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  std::string out = "'";
  out.append(text.substr(0, end));
  out += end < text.size() ? "...'" : "'";
  return out;
}

bool IsCharacterProperty(const std::string& name) {
  int error = 0;
  pcre2_code* code = CompileNative("\\p{" + name + "}", 0, &error);
  pcre2_code_free(code);
  return code != nullptr;
}

}  // namespace glaive::expr
