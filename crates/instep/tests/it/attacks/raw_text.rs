//! Texts that are not UTF-8, which SQLite takes like any other.

use crate::rig::{Pair, Rig};

const CONFIG: &str = "
services:
  source: { sqlite: source.db }
  target: { sqlite: target.db }
sources:
  s: { from: source, tables: [word] }
copies:
  words: { of: s/word, to: target/word, create: true }
counts:
  words: { of: s/word, by: [kind], where: kind > 'a', to: [target/kinds] }
";

const PAIRS: [Pair; 2] = [
    (
        "select typeof(word), hex(word), typeof(kind), hex(kind) from word order by word",
        "select typeof(word), hex(word), typeof(kind), hex(kind) from word order by word",
    ),
    (
        "select hex(kind), typeof(kind), count(*) from word where kind > 'a' group by kind order by 1, 2",
        "select hex(kind), typeof(kind), value from kinds where count = 'words' order by 1, 2",
    ),
];

#[tokio::test]
async fn a_text_that_is_not_utf_8_is_copied_and_counted_as_it_is_and_holds_nothing_up() {
    let rig = Rig::new(CONFIG, &PAIRS);
    rig.write(
        "source.db",
        "pragma journal_mode = wal;
        create table word (word text primary key not null, kind text);
        insert into word values ('a', cast(x'61ff' as text)), (cast(x'ff' as text), 'b'),
            (cast(x'c328' as text), cast(x'41ff' as text)), ('blob', x'61ff')",
    );
    let running = rig.run().await;
    rig.converges().await;
    rig.write(
        "source.db",
        "insert into word values ('later', cast(x'61ff' as text)), ('fine', 'fine');
        update word set kind = cast(x'fe' as text) where word = 'a';
        delete from word where word = cast(x'c328' as text)",
    );
    rig.converges().await;
    running.stop().await;
    // Every row is compared, and none differs.
    std::fs::remove_dir_all(rig.path("data")).unwrap();
    rig.write("source.db", "update word set kind = 'mended' where word = 'later'");
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
}
