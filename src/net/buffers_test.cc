#include "net/buffers.h"

#include <gtest/gtest.h>

#include "net/made_sockets.h"

namespace lockgate::net {
namespace {

TEST(Buffers, LendTheSameEmptyPipeAgain) {
  Buffers buffers;
  auto pipe = buffers.take_pipe();
  ASSERT_TRUE(pipe);
  Pipe* first = pipe.get();
  buffers.give_pipe(std::move(pipe));
  EXPECT_EQ(buffers.take_pipe().get(), first);
}

TEST(Buffers, CloseAPipeThatComesBackWithBytesInIt) {
  Buffers buffers;
  std::size_t before = open_descriptors();
  auto pipe = buffers.take_pipe();
  EXPECT_EQ(open_descriptors(), before + 2);
  pipe->bytes = 1;
  buffers.give_pipe(std::move(pipe));
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Buffers, KeepFewPipesForLater) {
  Buffers buffers;
  std::size_t before = open_descriptors();
  std::vector<std::unique_ptr<Pipe>> pipes;
  for (std::size_t i = 0; i < Buffers::kMostPipes; ++i) pipes.push_back(buffers.take_pipe());
  EXPECT_EQ(open_descriptors(), before + 2 * Buffers::kMostPipes);
  for (auto& pipe : pipes) buffers.give_pipe(std::move(pipe));
  EXPECT_LE(open_descriptors(), before + 40);
}

TEST(Buffers, LendNoMorePipesThanPromised) {
  Buffers buffers;
  std::vector<std::unique_ptr<Pipe>> pipes;
  for (std::size_t i = 0; i < Buffers::kMostPipes; ++i) pipes.push_back(buffers.take_pipe());
  EXPECT_FALSE(buffers.take_pipe());
  pipes.back()->bytes = 1;
  buffers.give_pipe(std::move(pipes.back()));
  EXPECT_TRUE(buffers.take_pipe());
}

TEST(Buffers, GiveNoPipeWhenDescriptorsHaveRunOut) {
  Buffers buffers;
  NoDescriptors none;
  EXPECT_FALSE(buffers.take_pipe());
}

TEST(Buffers, HaveAPipeAsLargeAsPromised) {
  Buffers buffers;
  auto pipe = buffers.take_pipe();
  EXPECT_EQ(fcntl(pipe->write_end.number(), F_GETPIPE_SZ), static_cast<int>(Buffers::kPipeSize));
}

}  // namespace
}  // namespace lockgate::net
