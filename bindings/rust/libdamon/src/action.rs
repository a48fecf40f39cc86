use damon_sys as sys;

/// What a scheme does with a matching region. What was done is measured: [`SchemeStat`](crate::SchemeStat).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Action {
    /// Read it in ahead: `MADV_WILLNEED`.
    WillNeed,
    /// `MADV_COLD`.
    Cold,
    /// `MADV_PAGEOUT`; anonymous memory needs swap.
    PageOut,
    /// `MADV_HUGEPAGE`.
    HugePage,
    /// `MADV_NOHUGEPAGE`.
    NoHugePage,
    /// `MADV_COLLAPSE`: synchronous.
    Collapse,
    /// Move to the active list.
    LruPrio,
    /// Move to the inactive list.
    LruDeprio,
    /// Move to another NUMA node, hottest first.
    MigrateHot,
    /// Move to another NUMA node, coldest first.
    MigrateCold,
    /// Count only.
    Stat,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 11] = [
        Action::WillNeed,
        Action::Cold,
        Action::PageOut,
        Action::HugePage,
        Action::NoHugePage,
        Action::Collapse,
        Action::LruPrio,
        Action::LruDeprio,
        Action::MigrateHot,
        Action::MigrateCold,
        Action::Stat,
    ];

    pub(crate) fn raw(self) -> sys::damos_action {
        match self {
            Action::WillNeed => sys::DAMOS_WILLNEED,
            Action::Cold => sys::DAMOS_COLD,
            Action::PageOut => sys::DAMOS_PAGEOUT,
            Action::HugePage => sys::DAMOS_HUGEPAGE,
            Action::NoHugePage => sys::DAMOS_NOHUGEPAGE,
            Action::Collapse => sys::DAMOS_COLLAPSE,
            Action::LruPrio => sys::DAMOS_LRU_PRIO,
            Action::LruDeprio => sys::DAMOS_LRU_DEPRIO,
            Action::MigrateHot => sys::DAMOS_MIGRATE_HOT,
            Action::MigrateCold => sys::DAMOS_MIGRATE_COLD,
            Action::Stat => sys::DAMOS_STAT,
        }
    }
}

/// A destination of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Destination {
    /// NUMA node.
    pub node: u32,
    /// Share of the pages, relative to the other destinations.
    pub weight: u32,
}
