"""The words that decide how a free text reads, English and Chinese.

A word that ends in `*` stands for all words that begin so. A name of several words is a phrase. Chinese words match wherever
they stand, the longest first. Lists are separated by commas.
"""

from __future__ import annotations

from enum import Enum


class Blocking(str, Enum):
    """Why a text announces nothing. The value completes `it has a word of ...`."""

    WITHDRAWAL = "withdrawal"
    WARNING = "warning"
    FAULT = "fault or incident"
    END_OF_SUPPORT = "end of support"
    POSTPONEMENT = "postponement"
    FUTURE = "future or plan"
    PREVIEW = "preview, test or limited use"
    DOUBT = "question or doubt"
    NEGATION = "negation"
    ROLLBACK = "rollback"
    CLIENT = "a client or a language"


# A text with one of these may take a version back or warn of it, so the version is held until an operator decides.
HOLDING = frozenset((Blocking.WITHDRAWAL, Blocking.WARNING, Blocking.FAULT))

BLOCKING = {
    Blocking.WITHDRAWAL: """
        withdraw*, withdrew, recall*, retract*, revok*, rescind*, pulled, pulling, yank*, unpublish*, cancel*, abandon*,
        annul*, suspend*, paus*, halt*, stop*, quarantin*, invalid*, disregard*, ignor*, mistak*, erroneous*, accident*,
        prematur*, correction, corrections, erratum, errata, been removed, was removed, abort*, blacklist*, denylist*,
        blocklist*, banned, taken down, take down, took down, taken offline, taken back, called off, call off, pulled back,
        false alarm, in error, by error, backed out, forbid*, forbidden, prohibit*, void, null and void, scrapped, nixed,
        hoax, fake, kidding, joke, joking, april fool, april fools,
        撤, 召回, 收回, 回收, 下架, 下线, 取消, 作废, 废止, 停用, 停止, 中止, 终止, 暂停, 暫停, 撤銷, 下線, 叫停, 禁用,
        禁止, 封禁, 冻结, 误发, 错发, 误报, 更正, 勘误, 忽略, 无效, 失效, 屏蔽, 隔离, 拉黑, 弃用, 已移除, 已删除, 阻断,
        拦截, 否决, 驳回
        """,
    Blocking.WARNING: """
        warn*, caution*, beware, avoid*, danger*, unsafe, unstable, instabil*, risk*, alert*, alarm*, hold off, holding off,
        refrain*, do not upgrade, do not use, do not install, do not deploy, do not roll, don't upgrade, don't use,
        don't install, don't deploy, not recommended, not upgrade, advise against, advised against, recommend against,
        against upgrading, stay on, stay with, staying on, remain on, keep using, stick with, think twice, watch out,
        look out, take care, be careful, careful*, harmful, unsuitable, unfit, with care, skip, skips, skipped, skipping,
        stay away, ⚠, ❌, ❎, 🚫, ⛔, 🛑, ❗, ☠, ✖, ✘, 👎, 🐛, 🔴,
        警告, 警示, 告警, 预警, 警惕, 谨慎, 慎重, 慎用, 切勿, 请勿, 勿, 不要, 不建议, 不推荐, 不可升级, 不宜, 不得, 暂缓,
        暂不, 避免, 风险, 風險, 隐患, 危险, 高危, 小心, 当心, 停升, 先别, 别升, 缓升, 请先不要, 跳过, 观望, 慎, 缓
        """,
    Blocking.FAULT: """
        bug*, defect*, issue, issues, problem*, error*, fault*, flaw*, crash*, leak*, vulnerab*, cve*, exploit*, regress*,
        deadlock*, exception*, hang, hangs, hung, freez*, stuck, fail*, oom, corrupt*, loss, losses, lose, loses, losing,
        lost, broke, broken, break, breaks, breaking, outage*, incident*, degrad*, malfunction*, trouble*, unusable,
        inaccessib*, unreachable, unresponsive, unreliable, panic*, damag*, bad, badly, worse, worst, severe*, wrong*,
        incorrect*, investigat*, mitigat*, complain*, root cause, glitch*, anomal*, abnormal*, is down, are down, went down,
        goes down, violat*, compromis*, malicious, breach*, disk full, out of memory, kill*, ruin*, postmortem, post mortem,
        rca, sev1, sev2, p0, p1,
        问题, 問題, 故障, 缺陷, 漏洞, 异常, 異常, 崩溃, 崩潰, 宕机, 错误, 錯誤, 报错, 出错, 失败, 丢失, 丢数据, 损坏, 泄漏,
        泄露, 退化, 劣化, 变慢, 卡死, 卡住, 挂死, 挂了, 死锁, 事故, 受影响, 阻塞, 排查, 定位中, 投诉, 客诉, 瘫痪, 停摆,
        翻车, 踩坑, 有坑
        """,
    Blocking.END_OF_SUPPORT: """
        end of support, end of life, end of service, end of maintenance, end of sale, end of availability, end of fix, eol,
        eos, eom, eofs, deprecat*, sunset*, retire*, retiring, obsolet*, phase out, phased out, phasing out, decommission*,
        discontinu*, no longer, expire*, expir*, expiration, legacy, supersed*, replaced by, shut down, shutdown, goodbye,
        farewell, removed, disabl*, last supported, last version, final version,
        停止支持, 停止维护, 停止服务, 停服, 停售, 停更, 退市, 退役, 废弃, 淘汰, 到期, 过期, 生命周期, 结束支持, 结束维护,
        终止支持, 不再, 下市, 停止销售, 维护期, 支持期, 结束, 移除, 删除
        """,
    Blocking.POSTPONEMENT: """
        postpon*, delay*, defer, defers, deferr*, deferment, resched*, pushed back, push back, slip, slips, slipped,
        on hold, hold, held, put off, shelved, stalled, later than,
        推迟, 延期, 延后, 延迟, 暂缓, 顺延, 改期, 搁置, 跳票, 拖延, 推后
        """,
    Blocking.FUTURE: """
        will, shall, would, going to, gonna, about to, soon, shortly, upcoming, coming, forthcoming, next, tomorrow,
        tonight, later, future, plan, plans, planned, planning, schedul*, expect*, anticipat*, intend*, intent*, aim, aims,
        aimed, aiming, targeted, targeting, eta, roadmap*, to be released, to be published, to be launched, to be available,
        set to, due to, due on, due in, pending, tentativ*, estimat*, propos*, prepar*, wip, work in progress, draft*,
        in development, under development, in progress, being released, being rolled, being built, may, might, could,
        should, must, ought, once, eventually, someday, this week, this month, this quarter, this year, q1, q2, q3, q4, h1,
        h2, monday, tuesday, wednesday, thursday, friday, saturday, sunday, countdown, stay tuned, get ready,
        ready to release, looking forward, look forward, in the works, heads up for,
        即将, 将, 预计, 计划, 拟, 待发布, 待上线, 待定, 准备发布, 准备上线, 准备, 敬请期待, 期待, 下周, 下月, 下个月, 明天,
        明日, 明年, 后天, 月底, 月末, 年底, 年末, 年内, 季度, 届时, 未来, 后续, 稍后, 随后, 近期, 不日, 择日, 择期, 排期,
        排程, 规划, 路线图, 预告, 预定, 预期, 预热, 筹备, 倒计时, 开发中, 研发中, 进行中, 发布中, 上线中, 推进中, 今晚,
        本周, 本月, 本季, 周一, 周二, 周三, 周四, 周五, 周六, 周日, 星期, 礼拜, 快要, 就要, 快发布, 下一, 马上, 待办,
        里程碑, 目标
        """,
    Blocking.PREVIEW: """
        preview*, beta*, alpha*, rc, rcs, release candidate, candidate*, prerelease*, pre, nightly, snapshot*, canary,
        early, trial*, pilot*, experiment*, test, tests, tested, testing, testbed, tester*, internal*, limited, private,
        privately, invite*, invitation*, gray, grey, grayscale, debug*, unofficial*, milestone*, dry run, drill*, simulat*,
        sample*, example*, staging, stage, sandbox*, poc, proof of concept, prototype*, demo, demonstrat*, mock*, dummy,
        placeholder*, template*, evaluation, eval, lab, labs, only, selected, selective*, some, certain, partial*, partly,
        subset, few, whitelist*, allowlist*, on request, upon request, by request, dev, develop, development, qa, uat, sit,
        preprod, preproduction, pre-production, gamma, gradual*, phased, rehears*, training, lorem, memory edition,
        database edition, persistence edition, x86, arm, aarch64, kunpeng,
        预览, 公测, 内测, 测试, 试用, 试验, 灰度, 候选, 抢先, 尝鲜, 体验版, 试点, 试运行, 试商用, 演练, 演示, 模拟, 示例,
        样例, 举例, 例如, 实验, 邀测, 限量, 内部, 预发, 预生产, 仿真, 验证中, 待验证, 联调, 仅, 只, 部分, 个别, 少数,
        白名单, 特定, 定向, 分批, 逐步, 陆续, 开发环境, 沙箱, 早期, 草稿, 模板, 预上线, 摸底, 彩排, 培训, 内存版, 持久化版,
        数据库版, 鲲鹏
        """,
    Blocking.DOUBT: """
        ?, whether, wonder*, when will, who, whom, whose, why, how come, anyone, anybody, somebody, someone, any news,
        any idea, any update, do we, does it, did you, is there, please confirm, confirm whether, to be confirmed, tbd, tbc,
        tba, heard, alleged*, reported, reportedly, apparent*, probabl*, possib*, perhaps, maybe, seem*, unsure, unclear,
        uncertain*, unconfirmed, unverified, assum*, guess*, think, thinks, believe*, hope, hopes, hoping, hopefully, wish,
        wishes, waiting, await*, wait, suppose*, suspect*, doubt*, speculat*, hearsay, gossip, leaked, supposedly,
        presumably, likely, unlikely, emergenc*, unavailab*, downtime*, interrupt*, disrupt*, timeout*, slowdown*,
        unexpected*, workaround*, impacted, affected, affecting, down, caveat*, limitation*, slow, slower, slowly, huh,
        todo, fixme, requested, request for, feature request, vote, survey, poll, rumor*, rumour*,
        吗, 么, 呢, 嘛, 是否, 何时, 何日, 几时, 几号, 多久, 能否, 可否, 可不可以, 会不会, 有没有, 是不是, 谁, 哪, 请问,
        咨询, 疑问, 疑似, 听说, 据说, 据悉, 据传, 可能, 也许, 或许, 大概, 传闻, 传言, 谣言, 似乎, 好像, 应该, 估计, 猜,
        假设, 假如, 倘若, 一旦, 万一, 否则, 除非, 紧急, 中断, 不可用, 无法, 超时, 抖动, 冲突, 影响, 待确认, 确认中, 审批,
        申请, 批准, 评审, 同意, 要求, 等待, 期盼, 盼望, 希望, 求证, 未知, 谣传, 传出, 有望
        """,
    Blocking.NEGATION: """
        not, no, never, none, nothing, nobody, nowhere, neither, nor, cannot, without, non, hardly, barely, scarcely,
        except, excluding, unless, rather than, instead of, instead, unreleased, unannounced, unsupported, untrue, false,
        nope, lack*, missing, absent, denied, denies, deny, refut*, rejected, rejects, reject, dropped, far from, yet,
        premature,
        不, 未, 无, 没, 勿, 别, 莫, 非, 否, 尚, 并非, 绝非, 拒绝, 除外, 之外, 未必, 仍
        """,
    Blocking.ROLLBACK: """
        rollback*, roll back, rolled back, rolling back, rolls back, revert*, downgrad*, fallback, fall back, fell back,
        restor*, undo*, go back, went back, going back, back to, again,
        回滚, 回退, 降级, 还原, 恢复, 退回, 倒退, 重新
        """,
    Blocking.CLIENT: """
        sdk, sdks, client, clients, driver, drivers, connector, connectors, plugin, plugins, plug-in, cli, library,
        libraries, jdbc, odbc, cypher, opencypher, gremlin, tinkerpop, sparql, gql, graphql, sql, java, python, golang,
        javascript, typescript, nodejs, node.js, dotnet, php, ruby, rust, scala, kotlin, swift, maven, pip, npm, pypi, jar,
        wheel, gradle, docker, container, containers, image, images, helm, chart, terraform, exporter, agent, agents, ide,
        客户端, 驱动, 开发包, 开发工具包, 插件, 连接器, 查询语言, 编程语言, 命令行, 类库, 依赖包, 镜像, 代理, 探针, 工具包
        """,
}

# Harmless words that contain a blocking one, and set phrases. They are taken out before the blocking words are looked for.
HARMLESS = """
    do not reply, don't reply, no reply, no-reply, received this email in error, received this message in error,
    received this mail in error, would like to, as soon as possible, at your convenience, when convenient,
    if you have any questions, if you have questions, bug fixes, bugfixes, bug fix, bug-fixes, bug fixing, issue fixes,
    non-disruptive, seamless*, lifecycle, due diligence, low-risk, fail-safe, failover, fault-tolerant, fault tolerance,
    high availability, exceptional*, exceptionally, bug修复,
    请勿回复, 请勿直接回复, 请勿回信, 请不要回复, 请不要直接回复, 不断, 不仅, 不同, 不错, 不少, 不限, 不止, 不但, 不中断,
    无缝, 无感, 无损, 无论, 非常, 级别, 类别, 区别, 特别, 识别, 分别, 辨别, 别名, 请将, 可将, 建议将, 如有疑问,
    如有任何疑问, 如您有任何疑问, 如有问题, 如有任何问题, 如您有任何问题, 若有疑问, 若有问题, 如遇问题, 升级准备, 做好准备,
    那么, 什么时候都, 多么, 未来感, 可能性, 问题修复, 缺陷修复, 漏洞修复, 故障修复, 非关系, 无人值守, 高可用, 目标版本,
    内部优化, 部分优化, 虚拟, 差别, 无限, 无忧, 停机升级, 缓存, 缓解, 缓冲
    """

# After a word of repair, these faults in the same sentence are those that were repaired ...
REPAIRABLE = """
    bug*, defect*, issue, issues, problem, problems, error, errors, fault, faults, flaw, flaws, crash, crashes, leak, leaks,
    vulnerabilit*, cve*, regression, regressions, deadlock, deadlocks, exception, exceptions, hang, hangs, failure,
    failures, timeout, timeouts, oom, corruption, loss, losses, outage, outages, interruption, interruptions, glitch,
    glitches,
    问题, 故障, 缺陷, 漏洞, 异常, 崩溃, 错误, 报错, 失败, 丢失, 泄漏, 泄露, 死锁, 超时, 冲突, 中断, 卡死, 宕机, 抖动
    """
REPAIRING = """
    fix, fixes, fixed, fixing, resolve, resolves, resolved, resolving, repair*, correct, corrects, corrected, correcting,
    address, addresses, addressed, addressing, eliminat*, solve, solves, solved, solving, patches, patched, hardens,
    修复, 解决, 修正, 消除, 规避, 优化
    """
# ... until one of these begins to speak of another.
ADVERSE = """
    but, however, although, though, yet, while, still, has, have, had, contain*, caus*, introduc*, found, find, finds,
    discover*, experience*, encounter*, report*, suffer*, lead, leads, led, trigger*, remain*, due, because, therefore, new,
    但, 不过, 然而, 却, 存在, 发现, 导致, 引发, 引起, 出现, 造成, 带来, 引入, 遗留, 仍, 又, 后, 因, 由于, 触发
    """

# The product, and the kinds of words from which an announcement is made (see grammar.py). What is in no list is unknown.
GRAMMAR = {
    "P": "ges, ges's, graph engine service, graph engine service's, ges service, 图引擎服务, ges服务",
    # the version as a thing
    "M": """
        version, versions, release, ver, v,
        版本, 版, 新版本, 新版, 最新版本, 最新版, 正式版, 稳定版, 软件版本, 版本号, 大版本, 小版本
        """,
    "N": """
        new, newest, latest, the, a, an, this, our, its, official, stable, major, minor, huawei, cloud, huaweicloud,
        software, first, lts, commercial, feature release, maintenance release, maintenance version, patch release,
        patch version, security release, security update, update, service update, graph version, engine version,
        新, 最新, 的, 该, 本, 此, 华为云, 华为, 云服务, 软件, 号, 新的, 图版本, 内核版本, 全新
        """,
    "O": "of",
    # is it so already
    "H": "is, are, was, were, has, have, been, 's, is now, are now, has now, has just, have just, has been, have been",
    "L": """
        now, just, officially, generally, finally, already, today, yesterday, publicly, fully, also, hereby, recently,
        formally, globally, worldwide, successfully, immediately, everywhere, as of today, as of now, starting today,
        effective immediately, from today, since today, since yesterday, right now, at last, here,
        已, 已经, 现, 现已, 现在, 正式, 全网, 全面, 全量, 今日, 今天, 昨日, 昨天, 刚刚, 刚, 成功, 完成, 同步, 均, 也, 近日,
        日前, 目前, 均已, 都已, 即日起, 对外, 隆重, 同时, 于今日, 完毕, 顺利, 全球, 公开
        """,
    # positive: what is so of the version
    "A": """
        available, generally available, publicly available, now available, available now, out, out now, live, ga,
        general availability, reached general availability, reaches general availability, in general availability, in ga,
        gone live, went live, goes live, went ga, made available, made generally available, became available,
        become available, arrived, landed, open for upgrade, is here, ready for production use, ready for production,
        ready for upgrade, ready for use, ready to use, ready to install, can be installed, can now be installed,
        available for upgrade, available for download, release notice, release announcement, release notification,
        release bulletin, shipped,
        可用, 可升级, 可供升级, 支持升级, 开放升级, 可以升级, 可下载, 开放下载, 商用, 正式商用, 面世, 问世, 发布公告,
        发布通知, 发布通告, 上线公告, 上线通知, 上架, 开放, 来了, 来啦
        """,
    "B": "released, published, launched, rolled out, 发布了, 推出了, 上线了, 发版了, 上新了",
    "Z": "发布, 推出, 上线, 发版, 上新",
    # positive: what somebody does with the version
    "R": """
        releases, launches, publishes, announce, announcing, introducing, announces, release of, the release of, launch of,
        the launch of, availability of, the availability of, general availability of, official release,
        you can now upgrade to, you can upgrade to, can upgrade to, can now be upgraded to, can be upgraded to,
        can now upgrade to,
        现已提供, 您可升级到, 您可升级至, 您可以升级到, 您可以升级至, 可升级到, 可升级至, 可以升级到, 可以升级至,
        支持升级到, 支持升级至, 开放升级到, 开放升级至
        """,
    "U": "upgrade to, upgrading to, update to, 升级到, 升级至, 更新到, 更新至, 升级为",
    "W": "in, on, at, across, within, for, to, from, since, by, via, through, under, 在, 于, 至, 到, 自, 面向, 向, 从",
    "Q": """
        all, every, each, region, regions, customers, users, tenants, everyone, download, upgrade, upgrades, use,
        production, public, general, sites, site, china, international, account, accounts, commercial use, production use,
        business, any,
        所有, 全部, 各, 各个, 客户, 用户, 租户, 生产, 升级, 站点, 中国, 国际, 国内, 您, 您的, 用户的
        """,
    # things that have versions of their own: known after a preposition only
    "I": "console, graphs, instances, zone, zones, area, areas, 区域, 局点, 控制台, 现网, 实例, 图实例, 图",
    "Y": "请, please",
    "G": """
        dear, hi, hello, kindly, we've, we're, i've, i'm, team, teams, valued, we, us, i, it, you, be, am, pleased, happy,
        proud, excited, glad, delighted, thrilled, announced, inform, informed, notify, notified, know, let, aware, note,
        good, great, news, notice, announcement, notification, bulletin, information, info, product, subject, title,
        important, fyi, fwd, fw, attention, reminder, colleagues, friends, folks, everybody, morning, afternoon, evening,
        greetings, ladies, gentlemen, sir, madam, congratulations, hooray, yay, there, would like to, like, want, share,
        thank, thanks, regards, best, kind, yours, sincerely, customer, user, what's new, whats new, services, following,
        as follows, follows, welcome, heads up, service announcement, product announcement, product update, release news,
        的通知, 的公告, 的通告, 的消息, 尊敬的, 亲爱的, 各位, 大家, 您好, 你好, 大家好, 好, 我们, 我司, 我方, 很, 非常,
        高兴, 荣幸, 宣布, 通知, 公告, 通告, 告知, 知悉, 周知, 消息, 好消息, 新闻, 快讯, 喜讯, 喜报, 产品, 服务, 关于, 标题,
        主题, 重要, 提醒, 温馨提示, 提示, 动态, 通报, 公示, 团队, 同事, 同学, 朋友, 伙伴, 先生, 女士, 领导, 老师, 转发,
        特此, 为, 你, 你们, 版本更新, 产品更新, 更新, 升级公告, 升级通知, 变更, 内容, 如下, 现将, 简介, 详情, 重磅, 祝贺,
        恭喜, 下午好, 上午好, 早上好, 晚上好, 以下, 是, 有
        """,
    "T": "that",
    # what may go on after the announcement
    "K": """
        and, with, which, so, as, including, includes, bringing, brings, adding, adds, offering, offers, featuring,
        supporting, supports, improving, improves, plus, see, read, visit, check, recommended, try, enjoy, upgraded, free,
        more, &, as soon as possible, at your convenience, when convenient,
        成, 并, 且, 并且, 以及, 和, 与, 支持, 新增, 包含, 包括, 增强, 优化, 提升, 改进, 修复, 带来, 欢迎, 建议, 推荐, 敬请,
        详见, 参见, 可, 可以, 您可, 了, 啦, 若干, 多个, 多项, 一些, 尽快, 及时, 主要, 重点, 特性, 新特性, 功能, 性能, 供,
        其中, 具体, 说明如下, 更多, 立即, 体验, 查看, 使用, 让, 使, 解决, 完善, 起
        """,
    "D": """
        january, february, march, april, june, july, august, september, october, november, december, jan, feb, mar, apr,
        jun, jul, aug, sep, sept, oct, nov, dec, utc, gmt, cst, pm, date, time,
        年, 月, 日, 时, 分, 点, 上午, 下午, 凌晨, 北京时间
        """,
    # what makes the sentence a condition or somebody else's word
    "S": """
        if, when, whenever, until, till, unless, before, after, provided, providing, assuming, depending, according, case,
        says, said, say, claims, claimed, told, conditional, subject to, by the time, in case, as soon as, upon, where,
        如果, 若, 只要, 只有, 等到, 待, 批准后, 通过后, 审批后, 之前, 以前, 根据, 假若, 倘, 表示
        """,
}

# Regions whose names a text may use. A text that names regions announces for these alone.
REGIONS = {
    "cn-north-1": "cn north-beijing1, 北京一, 华北北京一",
    "cn-north-2": "cn north-beijing2, 北京二, 华北北京二",
    "cn-north-4": "cn north-beijing4, 北京四, 华北北京四",
    "cn-north-9": "cn north-ulanqab1, 乌兰察布一, 华北乌兰察布一",
    "cn-east-2": "cn east-shanghai2, 上海二, 华东上海二",
    "cn-east-3": "cn east-shanghai1, 上海一, 华东上海一",
    "cn-south-1": "cn south-guangzhou, 华南广州",
    "cn-south-2": "cn south-shenzhen, 华南深圳",
    "cn-southwest-2": "cn southwest-guiyang1, 贵阳一, 西南贵阳一",
    "ap-southeast-1": "cn-hong kong, 中国香港",
    "ap-southeast-2": "ap-bangkok, 亚太曼谷",
    "ap-southeast-3": "ap-singapore, 亚太新加坡",
}
