// SPDX-License-Identifier: BSD-2-Clause
//
// Breadth-first search through the states of a few real objects: every step that is possible in each state that was reached, until there is no
// new one. So the first violation that is found has the shortest way to it.
//
// Objects that cannot be copied are made anew for each step, and taken the way from the start. A *system* is such a bundle of objects, made
// with no arguments or by a function, with
//   usize steps()                     how many kinds of steps there are
//   bool possible(usize)              whether one is possible now
//   void take(usize)                  takes it
//   std::string name(usize)
//   std::string state()               what tells one state from another: two that agree in it must behave alike
//   std::string wrong()               what must not be, or nothing; after each step
//   std::string left_behind()         what is wrong when everybody goes on until nothing is left to do, or nothing. The system is not used
//                                     any more afterwards.
#pragma once

#include <sel4vm/base/types.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_set>
#include <vector>

namespace sel4vm::test {

struct Explored {
    usize states = 0;
    usize steps = 0;
    bool all = false;      ///< there is no state beyond those
    std::string violation; ///< empty: none
    std::vector<std::string> steps_to_it;
};

/// How many states a search looks at: SEL4VM_EXPLORE_STATES for long ones, otherwise what takes seconds.
inline usize state_limit(usize short_limit) {
    const char *asked = std::getenv("SEL4VM_EXPLORE_STATES");
    return asked != nullptr ? static_cast<usize>(std::strtoull(asked, nullptr, 10)) : short_limit;
}

template <class Make>
Explored explore(const char *what, Make make, usize limit) {
    struct Reached {
        usize from;
        usize step;
    };
    Explored result;
    std::vector<Reached> reached{{0, 0}};
    std::unordered_set<std::string> known;

    const auto way_to = [&](usize place) {
        std::vector<usize> way;
        for (; place != 0; place = reached[place].from)
            way.insert(way.begin(), reached[place].step);
        return way;
    };
    const auto violated = [&](auto &system, const std::string &how, usize place) {
        result.violation = how;
        for (const usize step : way_to(place))
            result.steps_to_it.push_back(system.name(step));
    };

    known.insert(make()->state());
    for (usize place = 0; place < reached.size() && result.violation.empty(); ++place) {
        const std::vector<usize> way = way_to(place);
        const auto there = [&] {
            auto system = make();
            for (const usize step : way)
                system->take(step);
            return system;
        };
        {
            auto system = there();
            if (const std::string how = system->left_behind(); !how.empty()) {
                violated(*system, how, place);
                break;
            }
        }
        auto system = there();
        const usize steps = system->steps();
        std::vector<usize> possible;
        for (usize step = 0; step < steps; ++step) {
            if (system->possible(step))
                possible.push_back(step);
        }
        for (usize n = 0; n < possible.size(); ++n) {
            if (n != 0)
                system = there();
            system->take(possible[n]);
            ++result.steps;
            const std::string how = system->wrong();
            if (how.empty() && !known.insert(system->state()).second)
                continue;
            reached.push_back({place, possible[n]});
            if (!how.empty()) {
                violated(*system, how, reached.size() - 1);
                break;
            }
        }
        result.states = place + 1;
        if (result.states == limit)
            break;
    }
    result.all = result.violation.empty() && result.states == reached.size();
    std::printf("%s: %zu states, %zu steps%s\n", what, result.states, result.steps,
                result.all ? ", all there are" : "");
    if (!result.violation.empty()) {
        std::printf("violated: %s, after\n", result.violation.c_str());
        for (const std::string &step : result.steps_to_it)
            std::printf("  %s\n", step.c_str());
    }
    return result;
}

} // namespace sel4vm::test
