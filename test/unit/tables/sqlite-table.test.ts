import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

/** A table of keys and values, with these lines in its file. */
function prepare(bench: Workbench, ...lines: readonly string[]): string {
  const path = `${bench.directory}/data.sqlite`;
  using database = new DatabaseSync(path);
  database.exec(`CREATE TABLE t (k, v); INSERT INTO t VALUES
    ('a', '1'), ('b@x.example', '2'), ('b@x.example', '3'), ('q''q', '4'), ('n', 5), ('null', NULL), ('user', 'u')`);
  return `sqlite:${bench.write('client.cf', `dbpath = ${path}`, ...lines)}`;
}
const query = "query = SELECT v FROM t WHERE k = '%s'";

describe('sqlite tables', () => {
  it('ask for the key, and join what comes', async () => {
    using bench = new Workbench();
    const table = prepare(bench, query);
    assert.equal(await bench.value(table, 'A'), '1');
    assert.equal(await bench.value(table, 'b@x.example'), '2,3');
    assert.equal(await bench.value(table, 'n'), '5');
    assert.deepEqual(await bench.ask(table, 'null'), { kind: 'missing' });
    assert.deepEqual(await bench.ask(table, 'other'), { kind: 'missing' });
  });

  it('warn of results that are empty', async () => {
    using bench = new Workbench();
    assert.deepEqual(await bench.ask(prepare(bench, "query = SELECT '' AS v"), 'k'), { kind: 'missing' });
    assert.deepEqual(bench.warnings, ['table "sqlite:DIR/client.cf": empty lookup result for: "k" -- ignored']);
  });

  it('need a query, or what it was made of before there was one', () => {
    using bench = new Workbench('here_dbpath = x\n');
    const problem = (spec: string): string | undefined => bench.open(spec).unavailable;
    const table = prepare(bench, 'table = t', 'select_field = v');
    assert.equal(
      problem(table)?.replace(bench.directory, 'DIR'),
      'DIR/client.cf: bad string length 0 < 1: where_field = ',
    );
    assert.equal(problem('sqlite:here'), 'bad string length 0 < 1: here_table = ');
  });

  it('warn of a query that does not keep its key apart', () => {
    const warningsOf = (text: string): readonly string[] => {
      using bench = new Workbench();
      bench.open(prepare(bench, `query = ${text}`));
      return bench.warnings;
    };
    assert.deepEqual(warningsOf('SELECT v FROM t WHERE k = "%s"'), [
      'sqlite:DIR/client.cf: the query has a key in double quotes; only single quotes keep SQL out of a key',
    ]);
    assert.deepEqual(warningsOf(`SELECT "v" FROM t WHERE k = '%s' AND v <> "100%%"`), []);
  });

  it('quote the key', async () => {
    using bench = new Workbench();
    const table = prepare(bench, query);
    assert.equal(await bench.value(table, "q'q"), '4');
    assert.deepEqual(await bench.ask(table, "' OR '1'='1"), { kind: 'missing' });
  });

  it('take the key to pieces, and ask nothing when a piece is missing', async () => {
    using bench = new Workbench();
    const table = prepare(
      bench,
      "query = SELECT '%u at %d, %1, 100%%' WHERE '%2' <> ''",
      'result_format = <%s> for %S',
    );
    assert.equal(await bench.value(table, 'a@b.example'), '<a at b.example, example, 100%> for a@b.example');
    assert.deepEqual(await bench.ask(table, 'a'), { kind: 'missing' });
    assert.deepEqual(await bench.ask(table, 'a@example'), { kind: 'missing' });
  });

  it('are asked for addresses in their domains only', async () => {
    using bench = new Workbench();
    const table = prepare(bench, query, 'domain = x.example');
    assert.equal(await bench.value(table, 'b@x.example'), '2,3');
    assert.deepEqual(await bench.ask(table, 'a'), { kind: 'missing' });
    assert.deepEqual(await bench.ask(table, '@x.example'), { kind: 'missing' });
  });

  it('fail when there are more results than may be', async () => {
    using bench = new Workbench();
    const table = prepare(bench, query, 'expansion_limit = 1');
    assert.equal((await bench.ask(table, 'b@x.example')).kind, 'failed');
    assert.deepEqual(bench.warnings, [
      "dict_sqlite_lookup: DIR/client.cf: Expansion limit exceeded for key 'b@x.example'",
    ]);
  });

  it('understand what was written before there were queries', async () => {
    using bench = new Workbench();
    const table = prepare(bench, 'select_field = v', 'table = t', 'where_field = k', 'additional_conditions = LIMIT 1');
    assert.equal(await bench.value(table, 'b@x.example'), '2');
  });

  it('fail with a query that means nothing', async () => {
    using bench = new Workbench();
    assert.equal((await bench.ask(prepare(bench, 'query = SELECT nothing'), 'a')).kind, 'failed');
    assert.equal(bench.warnings.length, 1);
  });

  it('say what is wrong with their file', () => {
    using bench = new Workbench();
    assert.equal(
      bench.open(prepare(bench, 'query = SELECT %x')).unavailable?.replace(bench.directory, 'DIR'),
      'db_common_parse: DIR/client.cf: Invalid query template: SELECT %x',
    );
  });

  it('ask the database that is there again after one that could not be opened', async (t) => {
    let passedMs = 0;
    const now = performance.now.bind(performance);
    t.mock.method(performance, 'now', () => now() + passedMs);
    using bench = new Workbench();
    const spec = prepare(bench, query);
    const path = `${bench.directory}/data.sqlite`;
    const table = bench.open(spec);
    const value = async (): Promise<unknown> => table.lookup('a');
    assert.deepEqual(await value(), { kind: 'found', value: '1' });
    const replace = (make: () => void): void => {
      renameSync(path, `${bench.directory}/old-${passedMs}`);
      make();
      // for as long a change may go unnoticed
      passedMs += 1000;
    };
    replace(() => mkdirSync(path));
    const answer = await table.lookup('a');
    assert.equal(answer.kind, 'failed');
    replace(() => prepare(bench, query));
    assert.deepEqual(await value(), { kind: 'found', value: '1' });
  });
});
