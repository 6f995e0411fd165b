//! The codes: one for each kind of trouble that a person can act on, each explained in `texts`.

/// A stable name for one kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// Another process holds the data directory.
    DataLocked,
    /// Bytes of the journal are not what was written.
    JournalDamaged,
    /// The journal was written by a newer Instep.
    JournalNewer,
    /// The journal or its disk is full.
    JournalFull,
    /// The disk answered with an error.
    JournalDisk,
    /// A later epoch has written to this lane or target.
    Superseded,
    /// An offset did not follow the one before it.
    OutOfOrder,
    /// The source is another server than the one pinned.
    SourceChanged,
    /// Another Instep follows the source.
    SourceFollowed,
    /// The source no longer has what comes after our position.
    SourceHistoryLost,
    /// The log no longer has what comes after a watermark.
    LogHistoryLost,
    /// A source could not be reached or did not answer.
    SourceUnavailable,
    /// A target could not be reached or did not answer.
    TargetUnavailable,
    /// A target refused rows and none could be blamed, or too many were.
    TargetRefused,
    /// A target has no table for a copy.
    CopyTableMissing,
    /// The table of a copy does not fit the source's.
    CopyColumns,
    /// A copy has more columns of its source than its rows were written with.
    CopyColumnAdded,
    /// The table of a copy is not the one that its rows were written to.
    CopyTableNew,
    /// A target's file or tables are not what they were.
    TargetDamaged,
    /// A pass would delete more than it may without a person's word.
    DeletesGuarded,
    /// The source has no table of this name.
    TableMissing,
    /// A table has no key that tells its rows apart.
    TableNoKey,
    /// Values of two columns can not be compared.
    ColumnUnlike,
    /// Rows of a table that is compared have the same key, or none.
    KeyFlawed,
    /// There are more groups than can be compared at once.
    GroupsMany,
    /// A table is of a kind that can not be followed.
    TableUnsuitable,
    /// A source may not be written, but following it needs that.
    SourceReadOnly,
    /// The file of a service is not there.
    FileMissing,
    /// The file of a service is none that can be a database.
    FileUnsuitable,
    /// The file of a service may not be read or written.
    FileDenied,
    /// Another program holds the file of a service locked.
    FileLocked,
    /// SQLite does not take what it is asked.
    SqliteRefused,
    /// Triggers that record a source's changes are not as they have to be.
    SourceTriggers,
    /// A table of a copy refers to one that no copy fills.
    CopyRefers,
    /// A disk has little room left.
    DiskLow,
    /// A file stands on the disk of another machine.
    DiskNetwork,
    /// A service answers slowly.
    ServiceSlow,
    /// The certificate of the API is valid for a short time only.
    CertificateEnds,
    /// The data directory can not be used.
    DataUnusable,
    /// A check could not be made.
    NotMeasured,
    /// A file that was to be made is there already.
    FileExists,
    /// A database has no table that can be followed.
    NothingToFollow,
    /// The URL of a PostgreSQL cannot be read.
    PostgresUrl,
    /// A connection to PostgreSQL is not encrypted as it has to be.
    PostgresTls,
    /// PostgreSQL does not let us in.
    PostgresLogin,
    /// The role that we use in PostgreSQL may not do what is needed.
    PostgresPrivilege,
    /// PostgreSQL refuses something that trying again will not change.
    PostgresRefused,
    /// What came is nothing that PostgreSQL sends.
    PostgresMessage,
    /// The server does not write what following needs into its log.
    PostgresWalLevel,
    /// The place that the server keeps for a reader can not be made or used.
    PostgresSlot,
    /// What the server publishes is not what is to be followed.
    PostgresPublication,
    /// The address is that of a pooler.
    PostgresPooler,
    /// The server is a standby.
    PostgresStandby,
    /// A PostgreSQL is too old to be followed.
    PostgresVersion,
    /// A PostgreSQL is of a version with known faults, or of one that is not tested.
    PostgresDoubtful,
    /// A connection to PostgreSQL can be read by others on the way.
    PostgresPlain,
    /// A PostgreSQL keeps back write-ahead log that nobody reads, or may keep any amount of it.
    PostgresWalKept,
    /// Open transactions hold up the beginning of following.
    PostgresWaits,
    /// The clocks of a server and of this machine are apart.
    ClockApart,
    /// The command line cannot be understood.
    Usage,
    /// A file that the configuration needs cannot be read.
    ConfigFile,
    /// The configuration is no YAML.
    ConfigSyntax,
    /// The configuration has a key that nobody reads.
    ConfigUnknownKey,
    /// The configuration lacks a key.
    ConfigMissingKey,
    /// A value of the configuration is of another kind than its key wants.
    ConfigType,
    /// A name in the configuration cannot be one.
    ConfigName,
    /// A variable in the configuration has no value that could be put in its place.
    ConfigVariable,
    /// The configuration names something that it does not define.
    ConfigReference,
    /// Two copies or pushes would write one table.
    ConfigTableTwice,
    /// Something stands twice in the configuration that may stand once.
    ConfigDuplicate,
    /// What is written to a table would flow back to it.
    ConfigCycle,
    /// A copy does not fit the number of shards that its source has.
    ConfigShard,
    /// The configuration asks for what a later version does.
    ConfigNotYet,
    /// The condition of a count cannot be read, or does not fit its table.
    ConfigWhere,
    /// The API would listen to strangers.
    ListenOpen,
    /// A file with a secret can be read by everybody on the machine.
    SecretReadable,
    /// Tokens would travel in the clear.
    ListenPlain,
    /// A count would have become negative, or larger than a number can be.
    CountWrong,
    /// A count has more groups than it may have.
    CountGroups,
    /// A lane's state could not be read or written.
    StateDisk,
    /// A lane's state is not what was written.
    StateDamaged,
    /// The disk answered with an error about the catalog.
    CatalogDisk,
    /// The catalog is not what was written.
    CatalogDamaged,
    /// The catalog was written by a newer Instep.
    CatalogNewer,
    /// No Instep answers where a command asks one.
    ApiUnreachable,
    /// Another program listens on the address of the API.
    ListenInUse,
    /// The API cannot listen on its address.
    ListenFailed,
    /// The certificate or its key cannot be used.
    TlsFiles,
    /// A request to the API cannot be understood.
    RequestMalformed,
    /// The API has no such path.
    RouteUnknown,
    /// The path takes other methods.
    MethodRefused,
    /// The body of a request is too large.
    BodyTooLarge,
    /// The body of a request is no JSON.
    BodyType,
    /// A request has no token, or none that is known.
    TokenRefused,
    /// The token may only look.
    RoleMissing,
    /// A request comes by way of a strange web site.
    SiteRefused,
    /// Too many requests came in a short time.
    TooManyRequests,
    /// Too many connections are open.
    TooManyConnections,
    /// A request took too long.
    RequestSlow,
    /// Instep is starting or stopping.
    NotReady,
    /// There is no count of this name.
    CountUnknown,
    /// A count cannot be told yet.
    CountNotReady,
    /// A count has not come to a position in time.
    NotReached,
    /// There is no failure of this id.
    FailureUnknown,
    /// A failure cannot be discarded now.
    FailureNotNow,
    /// A copy lacks rows that its service refused.
    RowsHeld,
    /// A request met a fault inside Instep.
    Unexpected,
    /// A promise was broken inside Instep; the check that found it stopped the pipeline.
    Broken,
}
