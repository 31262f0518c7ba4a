#include "devices/vmport/guestinfo_store.h"

#include <gtest/gtest.h>

namespace vmm {
namespace {

using Verdict = GuestInfoStore::Verdict;
constexpr auto kHost = GuestInfoStore::By::kHost;
constexpr auto kGuest = GuestInfoStore::By::kGuest;

TEST(GuestInfoStoreTest, AValueIsAnyBytes) {
  std::string value;
  for (int i = 0; i < 256; ++i) value.push_back(static_cast<char>(i));
  GuestInfoStore store;
  ASSERT_EQ(store.Set("k", value, kGuest), Verdict::kOk);
  ASSERT_NE(store.Get("k"), nullptr);
  EXPECT_EQ(*store.Get("k"), value);
  EXPECT_EQ(store.Get("K"), nullptr);
}

TEST(GuestInfoStoreTest, TheLastToWriteIsNamed) {
  GuestInfoStore store;
  store.Set("k", "host", kHost);
  store.Set("k", "guest", kGuest);
  EXPECT_EQ(store.entries().at("k"), (GuestInfoStore::Entry{"guest", kGuest}));
}

TEST(GuestInfoStoreTest, N16_TheKeyOf128BytesFitsAndOf129DoesNot) {
  GuestInfoStore store;
  EXPECT_EQ(store.Set(std::string(128, 'k'), "v", kGuest), Verdict::kOk);
  EXPECT_EQ(store.Set(std::string(129, 'k'), "v", kGuest), Verdict::kKeyTooLong);
}

TEST(GuestInfoStoreTest, N16_AKeyHasNoSpaceAndNoControlCharacter) {
  GuestInfoStore store;
  for (const std::string& key :
       {std::string(), std::string("a b"), std::string("a\nb"), std::string("a\0b", 3), std::string("a\x7f")}) {
    EXPECT_EQ(store.Set(key, "v", kGuest), Verdict::kBadKey);
  }
  EXPECT_TRUE(store.entries().empty());
  EXPECT_EQ(store.Set("sch\xc3\xb6n", "v", kGuest), Verdict::kOk);
}

TEST(GuestInfoStoreTest, N16_Of257KeysTheLastIsRefusedAndOldOnesCanBeSet) {
  GuestInfoStore store;
  for (int i = 0; i < 256; ++i) ASSERT_EQ(store.Set("k" + std::to_string(i), "v", kGuest), Verdict::kOk);
  EXPECT_EQ(store.Set("one-more", "v", kGuest), Verdict::kTooManyKeys);
  EXPECT_EQ(store.Set("k7", "w", kGuest), Verdict::kOk);
}

TEST(GuestInfoStoreTest, N16_TheTotalIsCappedAndAReplacedValueIsNotCountedTwice) {
  GuestInfoStore store;
  const std::string value(65'000, 'v');
  int keys = 0;
  while (store.Set("k" + std::to_string(keys), value, kGuest) == Verdict::kOk) ++keys;
  EXPECT_EQ(keys, 16);
  EXPECT_LE(store.total_bytes(), GuestInfoStore::kMaxTotal);
  EXPECT_EQ(store.Set("one-more", value, kGuest), Verdict::kOutOfMemory);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(store.Set("k0", value, kGuest), Verdict::kOk);
  EXPECT_EQ(store.Set("k0", "", kGuest), Verdict::kOk);
  EXPECT_EQ(store.Set("one-more", value, kGuest), Verdict::kOk);
}

TEST(GuestInfoStoreTest, AShortValueDoesNotKeepTheRoomOfALongOne) {
  GuestInfoStore store;
  store.Set("k", std::string(65'000, 'v'), kGuest);
  store.Set("k", "x", kGuest);
  EXPECT_LT(store.Get("k")->capacity(), 100u);
}

TEST(GuestInfoStoreTest, AValueBeyondTheLimitIsRefusedAndTheOldOneStays) {
  GuestInfoStore store;
  EXPECT_EQ(store.Set("k", "old", kGuest), Verdict::kOk);
  EXPECT_EQ(store.Set("k", std::string(65'001, 'v'), kGuest), Verdict::kValueTooLong);
  EXPECT_EQ(*store.Get("k"), "old");
}

TEST(GuestInfoStoreTest, TheHostsUserIsToldWhatIsWrong) {
  EXPECT_TRUE(ToStatus(Verdict::kOk, "k").ok());
  for (const Verdict verdict :
       {Verdict::kBadKey, Verdict::kKeyTooLong, Verdict::kValueTooLong, Verdict::kTooManyKeys, Verdict::kOutOfMemory}) {
    EXPECT_FALSE(ToStatus(verdict, "k").ok());
  }
  EXPECT_EQ(ToStatus(Verdict::kTooManyKeys, "k").message(),
            "guestinfo.k: there are 256 keys already, and no more are possible");
}

}  // namespace
}  // namespace vmm
