//! The name of each code, and what it means, why it comes up and what to do.

use super::names::Code;

/// Every code with its name and its explanation, in the order of the enumeration and of the
/// reference page.
#[rustfmt::skip]
pub(super) const ENTRIES: [(Code, &str, &str); 108] = [
    (Code::DataLocked, "E-DATA-LOCKED",
        "Another process works in this data directory. Two writers would destroy the journal, \
         so the second one does not start. Stop the other process, or give this one its own data_dir."),
    (Code::JournalDamaged, "E-JOURNAL-DAMAGED",
        "A record of the journal fails its checksum at a place that was once synced, so this is no \
         torn tail of a crash. Nothing is skipped and nothing is cut. Check the disk, then restore \
         the data directory from a backup, or move it away and let Instep fill it again from the source."),
    (Code::JournalNewer, "E-JOURNAL-NEWER",
        "The journal was written by a newer Instep whose format this one does not know. \
         Run the newer version, or restore a backup taken before the upgrade."),
    (Code::JournalFull, "E-JOURNAL-FULL",
        "The journal has reached journal_bytes_max, or its disk is full. Capture waits; what is \
         already in the journal is still read and applied. Targets that hold it up are let go, and \
         compared with the source when they come back, but for those that are to hold it up \
         (when_full: wait). Free disk space, raise the limit, or mend the slowest target. A single \
         transaction that would not fit into an empty journal stops its lane; only a higher limit helps."),
    (Code::JournalDisk, "E-JOURNAL-DISK",
        "The disk answered a write or a sync of the journal with an error. After a failed sync \
         nobody knows what is on the disk, so the journal takes no more input until it is opened \
         again. Check the disk and the file system, then restart."),
    (Code::Superseded, "E-SUPERSEDED",
        "Another instance has taken over this lane or target with a higher epoch. This one has \
         stopped writing to it, and follows again when it holds the lease. Where two instances are \
         meant to run nothing is to be done; else stop the other one."),
    (Code::OutOfOrder, "E-OUT-OF-ORDER",
        "An entry was about to be logged at or below the end of its lane. That would break the order \
         of the source, so it was refused and the lane was stopped. Please report it with the message, \
         and start Instep anew."),
    (Code::SourceChanged, "E-SOURCE-CHANGED",
        "The server behind this address is not the one that Instep followed before. It may be a \
         restored backup, a clone or a wrong address. Nothing is read from it until a person has \
         decided. If it is the right one, say so with `instep source adopt SOURCE`; if not, mend the address."),
    (Code::SourceFollowed, "E-SOURCE-FOLLOWED",
        "Another Instep follows this source. Two would take each other's changes away before they are \
         read, so this one reads nothing from it. The message says where the other one keeps its data, \
         and since when it follows. A data directory that was copied, or moved to another machine as an \
         earlier state, counts as another one, too. Take the source out of the other one with `instep \
         source detach SOURCE` there; or, if it is gone for good, say here `instep source adopt SOURCE`: \
         this one then goes on by itself, and the other one is refused."),
    (Code::SourceHistoryLost, "E-SOURCE-HISTORY-LOST",
        "The source no longer keeps the changes that come after the position that Instep holds, \
         so going on would skip some, or it was restored to an earlier state. A new history begins; \
         each copy is compared with the source as it is now, row by row, and mended, and reports no \
         position until that is done. Nothing is to be done but to see with `instep status` when it is."),
    (Code::LogHistoryLost, "E-LOG-HISTORY-LOST",
        "The log no longer holds what comes after this target's watermark, so going on would skip \
         changes. Its copies are compared with the source as it is now, row by row, and mended; they \
         report no position until that is done. Nothing is to be done but to see with `instep status` \
         when it is."),
    (Code::SourceUnavailable, "E-SOURCE-UNAVAILABLE",
        "The source could not be reached or did not answer. Instep tries again, with growing pauses; \
         nothing is lost, because the source keeps what was not confirmed. Look whether the database is \
         there, under the address in `services`, and whether Instep's user may use it."),
    (Code::TargetUnavailable, "E-TARGET-UNAVAILABLE",
        "The target could not be reached or did not answer. Instep tries again, with growing pauses; \
         other targets go on, and the log keeps what this one still needs. Look whether the database is \
         there, under the address in `services`, and whether Instep's user may write it."),
    (Code::TargetRefused, "E-TARGET-REFUSED",
        "The target refused rows and no single row could be blamed, or more keys are held than \
         held_keys_max allows. The target has stopped and keeps what it has. Mend what its database objects \
         to, as the message and `instep failures list` say, then start Instep anew."),
    (Code::CopyTableMissing, "E-COPY-TABLE-MISSING",
        "The target has no table for this copy. Instep looks again with growing pauses. Make the table \
         there, and Instep goes on by itself; or write `create: true` under the copy, start Instep anew, \
         and it makes the table from the source's columns and key."),
    (Code::CopyColumns, "E-COPY-COLUMNS",
        "The table of this copy cannot hold the source's rows: a column that `fields` name or that is \
         part of the key is not there, the key is not unique there byte for byte, or a column that the \
         source has nothing for may not be NULL. The message names the columns. Change the table or \
         the copy's `fields`, then restart."),
    (Code::CopyColumnAdded, "E-COPY-COLUMN-ADDED",
        "A column was added to the source or to the table of this copy, and the copy has it now. Adding \
         it touched no row, so those that were copied before may lack its values. The copy is compared \
         with its source, row by row, and mended; it reports no position until that is done. Nothing is \
         to be done but to see with `instep status` when it is."),
    (Code::CopyTableNew, "E-COPY-TABLE-NEW",
        "The table of this copy is not the one that its rows were written to: it was dropped and made \
         again, or the database comes from a dump. What was copied before may not be in it. The copy is \
         compared with its source, row by row, and mended; it reports no position until that is done. \
         Nothing is to be done but to see with `instep status` when it is."),
    (Code::TargetDamaged, "E-TARGET-DAMAGED",
        "What Instep noted in the target is not what it wrote, or was written by a newer Instep; or the \
         target is a file that is damaged, or no database. Nothing more is written to it. Check the disk, \
         and restore the database from a backup or give the copies a new one: Instep compares it with the \
         source and brings it up to date."),
    (Code::DeletesGuarded, "E-DELETES-GUARDED",
        "A pass of the source over a copy would delete more rows than bridge_deletes_max, or the \
         source is empty while the copy is not. An empty or wrong source must never empty a copy, so \
         the copy keeps what it has. Look whether the source is the right one and complete; if so many \
         rows are to go, say so with `instep source allow-deletes SOURCE --in SERVICE --rows NUMBER`, and \
         start Instep anew."),
    (Code::TableMissing, "E-TABLE-MISSING",
        "The source has no table of this name, or the user that Instep connects as may not see it. \
         Check the name with its schema, the database and the grants; a running Instep looks again with \
         growing pauses and goes on by itself."),
    (Code::TableNoKey, "E-TABLE-NO-KEY",
        "The table has no key whose columns can never be NULL, so its rows can not be told apart, and \
         nothing of its source is followed until it has one. PostgreSQL takes a deferrable key for none, \
         and asks the same of each partition. To compare it, columns named with --key will do. Give it a primary key; in SQLite write `not null` for each \
         of its columns, since SQLite lets NULL into a primary key that is not `integer primary key`; in \
         PostgreSQL a unique index over columns that are NOT NULL will do as well, after `alter table … \
         replica identity using index …`; Instep looks again with growing pauses and goes on by itself."),
    (Code::ColumnUnlike, "E-COLUMN-UNLIKE",
        "The values of a column of the copy and of its column at the source can not be compared: they are \
         of kinds that do not mean the same, such as a date and a number, or one of them can not be read. \
         What was not compared is never called the same. Leave the column out with --leave-out, or name \
         the columns that are to be compared with --columns; --map says which column of the source is \
         meant."),
    (Code::KeyFlawed, "E-KEY-FLAWED",
        "The columns by which rows are told apart do not do that: several rows have the same values there, \
         or some have NULL. Rows that can not be told apart can not be compared one by one. Name other \
         columns with --key, take the rows out of the comparison with --where, or compare only how many \
         there are with --counts."),
    (Code::GroupsMany, "E-GROUPS-MANY",
        "There are more groups than numbers are compared of at once. Compare the numbers of fewer columns, \
         or of some of the rows with --where; or compare the rows themselves, whatever their number."),
    (Code::TableUnsuitable, "E-TABLE-UNSUITABLE",
        "The table can not be followed as it is: it is a view, a virtual or a foreign table, which have no \
         rows of their own; or it is temporary, unlogged or a partition of another one; or texts of its \
         key are compared otherwise than byte by byte (`collate nocase`), so that two keys could be one \
         to the source and two to others; or its key has a generated column, or one of a type that can \
         not be sorted as everywhere else; or its file keeps texts as UTF-16; or it is named as an outbox and \
         lacks one of its columns. The message says which, and \
         nothing of its source is followed meanwhile. Follow the table underneath, or give it another key; \
         Instep looks again with growing pauses and goes on by itself."),
    (Code::SourceReadOnly, "E-SOURCE-READ-ONLY",
        "The source may not be written by the user that Instep runs as. Changes are recorded by triggers \
         in a table of the same file, and what was taken over is deleted there again, so the file and its \
         folder have to be writable. Grant that; Instep looks again with growing pauses."),
    (Code::FileMissing, "E-FILE-MISSING",
        "There is no file at the path of this service. A path of the configuration is relative to the \
         configuration's own folder, not to the one in which the command was typed. A source is never made, \
         because an empty one would be taken for the truth; a target is made only by a copy with \
         `create: true`. Mend the path under `services`, or put the file there; what is typed behind \
         `sqlite:` is relative to the folder in which it is typed."),
    (Code::FileUnsuitable, "E-FILE-UNSUITABLE",
        "What stands at the path of this service is no SQLite database: a folder, a pipe, another kind of \
         file, or one that is damaged, encrypted or cut short. Nothing was read from it or written to it. \
         Mend the path under `services`, or restore the file from a backup."),
    (Code::FileDenied, "E-FILE-DENIED",
        "The user that Instep runs as may not read or write this file, or may not make files beside it. \
         SQLite keeps its journal in files with the same name and `-wal`, `-shm` or `-journal` behind it, so \
         the folder has to be writable, too. Give the user the rights on the file and on its folder."),
    (Code::FileLocked, "E-FILE-LOCKED",
        "Another program held the file locked for as long as the check waited, so that nobody else can write \
         to it, or even read it. It may be a transaction that somebody left open, a backup, or a program that \
         hangs. The message names the process where the system tells it. End that transaction or program."),
    (Code::SqliteRefused, "E-SQLITE-REFUSED",
        "SQLite does not take a statement, and would not take it again: a condition that somebody wrote names \
         no column or has a mistake in it, a table is not there, or a value is not of the kind that is asked \
         for. Nothing was read. Names stand in double quotes and texts in single ones; mend what the message \
         names."),
    (Code::SourceTriggers, "W-SOURCE-TRIGGERS",
        "Some of the triggers that record the changes of a followed table are not there, or are not as they \
         have to be, as after a migration that made the table anew. Changes may have gone unrecorded since. \
         Instep sees that by itself, puts them back and compares every copy with the source; start or keep \
         running `instep run`."),
    (Code::CopyRefers, "W-COPY-REFERS",
        "The table of a copy has a foreign key to a table that no copy of the same source fills in this \
         service. A row whose other end is not there is refused by the database, and is held until it is. \
         Copy the other table, too, or drop the foreign key in the copy: the source keeps that rule already."),
    (Code::DiskLow, "W-DISK-LOW",
        "There is little room left on this disk. When it is full the journal takes nothing more, databases \
         refuse writes, and capture waits; nothing is lost by that. Free some room, move the files, or lower \
         journal_bytes_max."),
    (Code::DiskNetwork, "W-DISK-NETWORK",
        "The file stands on a network file system, where locks and syncs often do not do what they promise: \
         SQLite databases are known to be damaged there, and its write-ahead log can not be shared between \
         machines at all. Keep the file on a disk of the machine that Instep runs on."),
    (Code::ServiceSlow, "W-SERVICE-SLOW",
        "The service answered, but took longer than it should for the smallest question, or others held it \
         locked for long. Copies will be behind by at least as much. Look at the disk, at the load of the \
         machine, and at long transactions of other programs."),
    (Code::CertificateEnds, "W-CERTIFICATE-ENDS",
        "The certificate of the API is valid for some days only, and when it ends clients refuse to \
         connect. Put a new one into the files that the configuration names under `tls`; a running Instep \
         takes it up by itself."),
    (Code::DataUnusable, "E-DATA-UNUSABLE",
        "The data directory is no folder, can not be made, or may not be written by the user that Instep \
         runs as. The journal, the state and the catalog stand in it, so nothing runs without. Mend data_dir, \
         or give the user the rights on it."),
    (Code::NotMeasured, "E-NOT-MEASURED",
        "A check could not be made, so nobody knows how it would have ended, and it is never counted as \
         good: what it asks did not answer in time, or needs what could not be read. The message says why. \
         Mend that, and ask again."),
    (Code::FileExists, "E-FILE-EXISTS",
        "The file that was to be written is there already, and nothing is ever written over it without a \
         word. Nothing was done. Name another file, or say --force to replace it."),
    (Code::NothingToFollow, "E-NOTHING-TO-FOLLOW",
        "The database has no table that can be followed: it is empty, or each of its tables lacks a key that \
         is never NULL, is a view or a virtual table. The message says why of each. Name another database, \
         or give the tables a primary key."),
    (Code::PostgresUrl, "E-POSTGRES-URL",
        "The URL of a PostgreSQL cannot be read, or asks for something that is not known. Its form is \
         postgres://USER:PASSWORD@SERVER:PORT/DATABASE?sslmode=verify-full; in names and passwords write \
         %40 for @, %3A for :, %2F for / and %25 for %. Change the part that the message names."),
    (Code::PostgresTls, "E-POSTGRES-TLS",
        "The connection cannot be encrypted as it has to be: the server has no TLS, nobody whom this \
         machine trusts vouches for its certificate, or it names another server. Beyond this machine \
         sslmode=verify-full holds unless the URL says otherwise. Name the file of your own authority with \
         sslrootcert, use the name that stands in the certificate, or choose another sslmode knowingly."),
    (Code::PostgresLogin, "E-POSTGRES-LOGIN",
        "PostgreSQL does not let us in: the role or the database does not exist, the password is wrong or \
         missing, or no line of its pg_hba.conf allows this role from this address, for the stream of \
         changes with the right REPLICATION. It is asked again by itself, with growing pauses, so that \
         nothing has to be started again once it lets us in, and nothing is lost meanwhile. Check user, password and database in the URL, and \
         pg_hba.conf on the server."),
    (Code::PostgresPrivilege, "E-POSTGRES-PRIVILEGE",
        "The role that Instep uses in PostgreSQL lacks a privilege. Nothing was changed. A policy of row-level \
         security that would hide rows counts as one, since they would look as if they were gone: `alter \
         role … bypassrls` lets Instep see them. Grant what the message names, or use a role that has it; \
         Instep tries again by itself, with growing pauses."),
    (Code::PostgresRefused, "E-POSTGRES-REFUSED",
        "PostgreSQL refuses a command, and would refuse it again: something that is needed is not there, \
         a setting does not allow it, or a pooler stands in between that cannot pass it on. See the \
         message, and connect to the server itself, not to a pooler."),
    (Code::PostgresMessage, "E-POSTGRES-MESSAGE",
        "The server sent something that PostgreSQL does not send, names a table that it never described, \
         or sent a row larger than allowed. Nothing of it is guessed, so following stops. See that the \
         address is that of a PostgreSQL from version 15 on, and report the message if it is."),
    (Code::PostgresWalLevel, "E-POSTGRES-WAL-LEVEL",
        "The write-ahead log of this PostgreSQL holds too little to be followed: its wal_level is not \
         `logical`. Nothing was changed there. Run `alter system set wal_level = 'logical'`, restart the \
         server (a managed one has a parameter for it, such as rds.logical_replication), and Instep goes on \
         by itself."),
    (Code::PostgresSlot, "E-POSTGRES-SLOT",
        "The replication slot, which keeps what Instep has not read yet, can not be made or used now: \
         another connection reads it, no slot or sender is left (max_replication_slots, max_wal_senders), \
         it grew beyond slot_wal_bytes_max, or a transaction that was open before has not ended. The \
         message says which. End what it names or raise the setting; it is tried again by itself."),
    (Code::PostgresPublication, "E-POSTGRES-PUBLICATION",
        "The publication, which says what the server tells us, can not be made by this role or does not \
         fit: a table is missing in it, or rows, columns or kinds of changes are left out. Nothing is \
         followed meanwhile, so that nothing is missed unseen. Run what the message says as the owner of the \
         tables; it is looked at again by itself."),
    (Code::PostgresPooler, "E-POSTGRES-POOLER",
        "The address is that of a pooler such as PgBouncer, which can not pass on a stream of changes. \
         Nothing was changed. Write the address of the server itself into the configuration; the \
         applications may keep the pooler."),
    (Code::PostgresStandby, "E-POSTGRES-STANDBY",
        "The server that answers is a standby: it takes no writes, and what it shows can not be placed \
         exactly in the stream of changes. Name the primary, or all servers in one URL, so that Instep \
         finds the primary also after a failover: postgres://a:5432,b:5432/db. It is tried again by itself."),
    (Code::PostgresVersion, "E-POSTGRES-VERSION",
        "The server is a PostgreSQL before version 15, whose stream of changes and publications lack some of \
         what Instep is tested with. Faults in it are mended no longer. Upgrade the server to version 15, 16, \
         17 or 18."),
    (Code::PostgresDoubtful, "W-POSTGRES-VERSION",
        "The server is of a minor version whose logical decoding is known to lose changes or slots in rare \
         cases, or of a major version that Instep is not tested with. Following works. Install the newest \
         minor version of its major one, from 15 to 18; that needs a restart and nothing else."),
    (Code::PostgresPlain, "W-POSTGRES-PLAIN",
        "The connection to a server on another machine is not encrypted, or nobody vouches for whom it is \
         encrypted to, so that others on the way may read the rows or pretend to be the server. Remove \
         `sslmode` from the URL, or write `sslmode=verify-full`, with `sslrootcert` if the authority is your own."),
    (Code::PostgresWalKept, "W-POSTGRES-WAL-KEPT",
        "The server keeps back write-ahead log for a replication slot that nobody reads, is about to give up \
         one that is behind, or has no bound on what it keeps for one. Such log fills its disk in the end, \
         and a full disk stops the server. Drop the slot if nobody needs it any more, start its reader if \
         somebody does, and set max_slot_wal_keep_size to what the disk can spare."),
    (Code::PostgresWaits, "W-POSTGRES-WAITS",
        "Transactions are open that began before now. When a source is followed for the first time its slot \
         is ready only once every transaction that was open at that moment has ended, in any database of the \
         server, prepared ones among them. Nothing is lost meanwhile, but nothing comes either. Commit them or \
         roll them back."),
    (Code::ClockApart, "W-CLOCK-APART",
        "The clock of the server and that of this machine differ by seconds. No decision of Instep rests on \
         them, but the times that it shows, such as how far a copy is behind, are wrong by as much. Let both \
         machines follow a time server."),
    (Code::Usage, "E-USAGE",
        "The command line has a command, a flag or a value that Instep does not know, or lacks one that \
         it needs. Nothing was done. `instep --help` lists the commands, `instep COMMAND --help` shows \
         examples of one."),
    (Code::ConfigFile, "E-CONFIG-FILE",
        "The configuration, or a file that it names for a secret or a certificate, does not exist, may not \
         be read, is empty or is too large. The configuration is the file of --config, else that of \
         INSTEP_CONFIG, else ./instep.yaml; paths inside it are relative to its own folder."),
    (Code::ConfigSyntax, "E-CONFIG-SYNTAX",
        "The file is not the YAML that Instep reads: UTF-8, one document, each key once, no tags, no \
         directives, and within the bounds on size and nesting. The place is where reading had to stop; \
         the mistake is often a little before it, such as a missing quote, bracket or space after a colon."),
    (Code::ConfigUnknownKey, "E-CONFIG-UNKNOWN-KEY",
        "Nobody reads this key. It may be misspelt, or stand at the wrong depth. It is refused, because a \
         setting that is left out in silence is found much later. `instep config schema` prints every key \
         for editors."),
    (Code::ConfigMissingKey, "E-CONFIG-MISSING-KEY",
        "A key is missing that has no default, because no default could be right. The message names it and \
         the place where it belongs."),
    (Code::ConfigType, "E-CONFIG-TYPE",
        "The value is not what its key takes: text instead of a number, one value instead of a list, a \
         number out of its range, an address that is none. Numbers and true or false stand without quotes; \
         text that looks like one of them stands in quotes."),
    (Code::ConfigName, "E-CONFIG-NAME",
        "Names of services, sources, copies, counts and tokens are up to 63 characters of a-z, 0-9, - and _, \
         beginning with a letter or a digit, because they stand in addresses, metrics and commands. Tables \
         and columns have the names that their database gives them, but for those that Instep needs itself."),
    (Code::ConfigVariable, "E-CONFIG-VARIABLE",
        "A value asks for an environment variable that is not set, cannot be used, or is written in a way \
         that means nothing. ${NAME} must be set; ${NAME:-text} falls back to the text when it is unset or \
         empty; ${NAME:?message} stops with the message then; $$ is a dollar sign. A variable may not hold \
         line breaks, and stands in values alone, never in keys."),
    (Code::ConfigReference, "E-CONFIG-REFERENCE",
        "The configuration names a service, a source or a table that it does not define. `of` is \
         SOURCE/TABLE with a source from `sources` and one of its `tables`; `to` is SERVICE/TABLE with a \
         service from `services`; `from` names services."),
    (Code::ConfigTableTwice, "E-CONFIG-TABLE-TWICE",
        "Two copies, or a copy and a pushed count, would write the same table, also when they reach it by \
         two services with one file or database, or by another spelling of its name. Each would undo what \
         the other wrote. Give each a table of its own."),
    (Code::ConfigDuplicate, "E-CONFIG-DUPLICATE",
        "The same thing stands twice where it may stand once: a table or column in its list, a token's name \
         or its secret, a column that two settings write, a database in two sources, which would take each \
         other's changes away, or one under two services for copies of one source, which move together. Take \
         one of the two out, or give it another name."),
    (Code::ConfigCycle, "E-CONFIG-CYCLE",
        "What is written to a table would come back to it as a change of its source, and go round without \
         end. That is so when a copy writes into the table that it is of, and when several copies form a \
         ring. Copy into another table."),
    (Code::ConfigShard, "E-CONFIG-SHARD",
        "A source with several services is sharded, and a copy of it must store in each row which shard owns \
         it, so that a row that moves between shards is neither lost nor kept twice. Name a column of the \
         target for that in shard_column. A copy of a source with one service has no such column."),
    (Code::ConfigNotYet, "E-CONFIG-NOT-YET",
        "The key or value belongs to a later version of Instep and is not in this version. It is refused \
         instead of left out, so that nobody relies on what does not happen. Remove it, or run the version \
         that has it."),
    (Code::ConfigWhere, "E-CONFIG-WHERE",
        "The `where` of a count cannot be read, or does not fit the columns of its table. It compares \
         columns and literals with = <> < <= > >=, is null, is true, in and between, joined by and, or \
         and not, without functions. The message says at which byte it stops, and what to write instead."),
    (Code::ListenOpen, "E-LISTEN-OPEN",
        "`listen` is an address that other machines can reach, and `auth` has no token, so that anybody \
         could read the data and change what Instep does. Listen on 127.0.0.1, or add a token under \
         auth.tokens."),
    (Code::SecretReadable, "W-SECRET-READABLE",
        "Every user of this machine may read the file that holds this secret. Instep uses it nevertheless. \
         Take the right away with `chmod 600 FILE`."),
    (Code::ListenPlain, "W-LISTEN-PLAIN",
        "`listen` is an address that other machines can reach, and there is no `tls`, so that tokens and data \
         travel readable for whoever is between. Instep works nevertheless. Set tls.cert and tls.key, or \
         keep a proxy with TLS in front."),
    (Code::CountWrong, "E-COUNT-WRONG",
        "A group of this count would have become negative, or larger than 64 bits hold. A number like \
         that is never shown and never rounded to zero: the count has stopped at its last true position. \
         Other counts and copies go on. Build the count anew from its source, and report the message, \
         since what it was told cannot all have happened."),
    (Code::CountGroups, "E-COUNT-GROUPS",
        "This count has more groups than groups_max allows, so it has stopped; other counts go on. \
         Often a column of `by` is nearly unique, such as an id or a time. Group by fewer columns, or \
         raise groups_max if there is memory for that many."),
    (Code::StateDisk, "E-STATE-DISK",
        "The disk answered a read, a write or a sync of a lane's state with an error, or it is full. \
         State takes nothing more until it is opened again. Copies and the log are not concerned. \
         Check the disk and the file system, then restart; state can be rebuilt from the source."),
    (Code::StateDamaged, "E-STATE-DAMAGED",
        "A file of a lane's state is not what was written there, or a newer Instep wrote it. When \
         state is opened next, its files are moved into the directory `aside` beside it and an empty \
         state is begun, because it can be rebuilt by a pass over the source. Counts answer again \
         once they are filled. Check the disk if no newer version was at work."),
    (Code::CatalogDisk, "E-CATALOG-DISK",
        "The disk answered a read or a write of catalog.db with an error, it is full, or another program \
         holds the file locked. Check the disk, close other programs that use the file, then restart."),
    (Code::CatalogDamaged, "E-CATALOG-DAMAGED",
        "catalog.db is not what was written. It holds what cannot be computed again, so it is never \
         replaced in silence. Restore it from a backup; or move it away, and every target is unverified \
         until it has been compared with its source anew."),
    (Code::CatalogNewer, "E-CATALOG-NEWER",
        "catalog.db was written by a newer Instep whose format this one does not know. \
         Run the newer version, or restore a backup taken before the upgrade."),
    (Code::ApiUnreachable, "E-API-UNREACHABLE",
        "The command asks a running Instep, and none answers at that address: it is not running, still \
         starting, listens elsewhere, or something else listens there. Start it with `instep run`, or say \
         where it listens with --url."),
    (Code::ListenInUse, "E-LISTEN-IN-USE",
        "Another program already listens on this address, often an Instep that still runs. Stop that \
         program, or give this instance another `listen` address; port 0 takes any free port."),
    (Code::ListenFailed, "E-LISTEN-FAILED",
        "The operating system does not let Instep listen on this address: it is none of this machine's, \
         its name cannot be resolved, or its port is reserved. Give `listen` an address of this machine \
         and a port above 1023."),
    (Code::TlsFiles, "E-TLS-FILES",
        "The certificate or the private key of the API cannot be read, is not PEM, does not belong to the \
         other, or the certificate is not valid now. At the start nothing listens until this is mended; a \
         running API keeps the certificate that it has. Put a valid certificate chain and its unencrypted \
         key into the files that the configuration names under `tls`."),
    (Code::RequestMalformed, "E-REQUEST-MALFORMED",
        "The path, a parameter or the body of the request is not what this route takes. Nothing was done. \
         Change the request as the detail says; /openapi.json lists what each route takes."),
    (Code::RouteUnknown, "E-ROUTE-UNKNOWN",
        "The API has nothing under this path, or this version does not yet. Look the path up in \
         /openapi.json, which lists all that there is."),
    (Code::MethodRefused, "E-METHOD-REFUSED",
        "The path exists, but not with this method. Use one of the methods in the Allow header of the \
         answer."),
    (Code::BodyTooLarge, "E-BODY-TOO-LARGE",
        "The body of the request is larger than the API reads, and nothing was done with it. Send the \
         request with an empty body; no route of this version needs one."),
    (Code::BodyType, "E-BODY-TYPE",
        "The request has a body that does not call itself JSON, and nothing was done with it. Send the \
         request with an empty body, or with the header Content-Type: application/json."),
    (Code::TokenRefused, "E-AUTH-TOKEN",
        "This API wants a bearer token, and the request had none, or one that is not configured. Send the \
         header Authorization: Bearer TOKEN with a token from `auth.tokens` of the configuration."),
    (Code::RoleMissing, "E-AUTH-ROLE",
        "The token is a viewer's, and the request would change something. Ask an operator, or use a token \
         whose role in `auth.tokens` is operator."),
    (Code::SiteRefused, "E-SITE-REFUSED",
        "The request names a server that this API is not, or a browser sent it from another web site. \
         Without this refusal a page that somebody merely opens could read or change what is behind the \
         API. Use the address that Instep listens on, without a browser in between, or configure \
         `auth.tokens`."),
    (Code::TooManyRequests, "E-TOO-MANY-REQUESTS",
        "More requests, or more attempts with wrong tokens, came from this token or address than the API \
         takes in so short a time. Wait as long as the Retry-After header says, and ask less often."),
    (Code::TooManyConnections, "E-TOO-MANY-CONNECTIONS",
        "As many connections are open as the API takes at once, and a further one was closed. Close \
         connections that are idle, and try again."),
    (Code::RequestSlow, "E-REQUEST-SLOW",
        "The request was not answered within the time that the API spends on one, or its body did not \
         arrive in that time. Try again; if it goes on, look at the load of this machine."),
    (Code::NotReady, "E-NOT-READY",
        "Instep is still starting, or is about to stop, so it takes no work now. Try again in a moment, \
         or look at its log if it does not become ready."),
    (Code::CountUnknown, "E-COUNT-UNKNOWN",
        "The configuration of the running instance has no count of this name. Look at /v1/counts for \
         those that there are; a new one needs a restart."),
    (Code::CountNotReady, "E-COUNT-NOT-READY",
        "The rows behind this count are still being read from the source, or Instep has not come back to \
         where its log ended when it was started. A number now would be wrong, so none is given. Try \
         again after the time in the Retry-After header, or wait with the parameter `wait`, as in `--wait 20s`."),
    (Code::NotReached, "E-NOT-REACHED",
        "The count had not come to the position of `at_least` when the time of `wait` was up. An earlier \
         number would not have had the write that was asked for, so none is given. Try again after the \
         time in the Retry-After header, wait longer (`wait` goes up to 30s), or leave `at_least` out if \
         an earlier number will do."),
    (Code::FailureUnknown, "E-FAILURE-UNKNOWN",
        "No held key has this id. It may have passed meanwhile, or somebody discarded it. Look at \
         /v1/failures for those that there are."),
    (Code::FailureNotNow, "E-FAILURE-NOT-NOW",
        "This instance does not write the target of the failure now: the target is away, has stopped, or \
         another instance writes it. Nothing was changed. Ask the instance that writes the target, or try \
         again when the target is back."),
    (Code::RowsHeld, "E-ROWS-HELD",
        "The service of this copy refused rows, so their keys are held: the copy differs from its source \
         in these, and goes on with all others. Each is tried again by itself. See `instep failures list` or \
         /v1/failures for the reasons, mend what the service objects to, then retry them, or discard those \
         that shall stay as they are."),
    (Code::Unexpected, "E-UNEXPECTED",
        "Something inside Instep failed that should not have, and the request was given up. Copies and \
         counts are not concerned. Please report it with the log of that moment."),
    (Code::Broken, "E-BROKEN",
        "A check inside Instep found one of its own promises broken and stopped this pipeline before \
         it could write anything wrong. Please report it with the message."),
];
