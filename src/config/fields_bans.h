// The tables of options of bans.
#pragma once
#include "config/bans.h"
#include "config/field.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<BanRule> = section(
    "ban rule",
    "How often something may happen before a client is banned. Each further ban, as long as the last one is "
    "remembered, is `factor` times as long as that.",
    Field{"name", &BanRule::name, "For logs and metrics, and for the `trap` of routes; `on` if not given."},
    Field{"on", &BanRule::on, "What is counted; [each of them](access.md#what-can-be-counted).", kRequired},
    Field{"statuses", &BanRule::statuses, "Of `on: status`, the answers that count: 404, or 400-499."},
    Field{"count", &BanRule::count, "So often, and the client is banned.", from_to(1, 1'000'000)},
    Field{"within", &BanRule::within, "In so long, from the first time.",
          from_to(1'000'000, 30LL * 86'400'000'000'000)},
    Field{"for", &BanRule::time, "How long the first ban lasts.", kSome},
    Field{"factor", &BanRule::factor, "How many times as long each further ban is; 1 for all alike.",
          from_to(1, 1000)},
    Field{"longest", &BanRule::longest, "No ban lasts longer.", kSome});

template <>
inline constexpr auto kSection<Nftables> = section(
    "nftables",
    "Sets of the kernel's packet filter, with `flags interval, timeout`, that are kept as the bans are. They "
    "must be there; a rule of yours drops what is in them. Needs CAP_NET_ADMIN, which is kept for it.",
    Field{"family", &Nftables::family, "Of the table."},
    Field{"table", &Nftables::table, "The table that has the sets."},
    Field{"set_v4", &Nftables::set_v4, "The set of type `ipv4_addr`."},
    Field{"set_v6", &Nftables::set_v6, "The set of type `ipv6_addr`."});

template <>
inline constexpr auto kSection<Bans> = section(
    "bans", "Who is kept out for a while, by rule or by `lockgate ban`.",
    Field{"except", &Bans::except,
          "Networks that are never banned and never counted. Those of "
          "`accept_proxy_protocol.from` and `trusted_proxies` never are."},
    Field{"rules", &Bans::rules, "What leads to a ban."},
    Field{"remember", &Bans::remember, "How long after its end a ban makes the next one longer."},
    Field{"most", &Bans::most,
          "So many clients at the most; one more takes the place of the ban that ends first.",
          from_to(1, 10'000'000)},
    Field{"state", &Bans::state, "Whether bans are kept in the `state_folder` and hold after a restart."},
    Field{"nftables", &Bans::nftables, "Where the kernel is told of bans."});

}  // namespace lockgate::config
