// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/progress.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace sel4vm::cli {
namespace {

/// Standard error as a file that can be looked at while it is written.
class StandardError {
public:
    StandardError() : before_(::dup(STDERR_FILENO)) {
        std::fflush(stderr);
        const int file = ::mkstemp(name_.data());
        ::dup2(file, STDERR_FILENO);
        ::close(file);
    }
    ~StandardError() {
        std::fflush(stderr);
        ::dup2(before_, STDERR_FILENO);
        ::close(before_);
        ::unlink(name_.c_str());
    }
    StandardError(const StandardError &) = delete;
    StandardError &operator=(const StandardError &) = delete;

    [[nodiscard]] std::string text() const {
        std::fflush(stderr);
        std::ostringstream out;
        out << std::ifstream(name_).rdbuf();
        return out.str();
    }

private:
    int before_;
    std::string name_ = "/tmp/sel4vm-progress-XXXXXX";
};

TEST(ProgressLine, TellsTheStepThatTakesLongAndThoseAfterIt) {
    const StandardError error;
    {
        ProgressLine line(Progress::shown, "building x", 3);
        line.step("reading");
        line.step("packing");
        while (error.text().empty())
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        line.step("writing");
    }
    EXPECT_EQ(error.text(), "sel4vm: building x: step 2 of 3, packing ...\n"
                            "sel4vm: building x: step 3 of 3, writing ...\n");
}

TEST(ProgressLine, SaysNothingWhenNobodyAsked) {
    const StandardError error;
    {
        ProgressLine line(Progress::silent, "building x", 1);
        line.step("reading");
        std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    }
    EXPECT_EQ(error.text(), "");
}

} // namespace
} // namespace sel4vm::cli
