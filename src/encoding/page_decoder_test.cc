#include <gtest/gtest.h>

#include "encoding/page.h"

namespace glaive::encoding {
namespace {

TEST(PageDecoderTest, RefusesNonsense) {
  auto leaf = std::make_shared<LeafDescriptor>();
  EXPECT_FALSE(PageDecoder::Open(leaf, PageDescriptor{}).ok());
}

}  // namespace
}  // namespace glaive::encoding
