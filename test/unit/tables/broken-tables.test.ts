import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitList } from '#config';
import { type MatchResult, TableOpener } from '#tables';
import { Workbench } from './workbench.ts';

describe('a table that cannot be opened', () => {
  const reasons: readonly (readonly [string, string])[] = [
    ['nosuchtype:name', 'unsupported dictionary type: nosuchtype'],
    ['ldap:/etc/ldap.cf', 'unsupported dictionary type: ldap'],
    ['hash:/nonexistent/file', 'open database /nonexistent/file.db: No such file or directory'],
    ['texthash:/nonexistent', 'open database /nonexistent: No such file or directory'],
    ['regexp:/nonexistent', 'open /nonexistent: No such file or directory'],
    ['sqlite:/nonexistent', 'open /nonexistent: No such file or directory'],
    ['unix:foo', 'unknown table: unix:foo'],
    ['static:{a', `bad static:name syntax: missing '}' in "{a"`],
    ['inline:{a}', `missing '=' after attribute name: "inline:{a}"; need "inline:{name=value...}"`],
    ['inline:{{ }}', `no key found; expected format: key = value: "inline:{{ }}"; need "inline:{name=value...}"`],
    ['inline:{{"a b=c}}', `unbalanced '"': "inline:{{"a b=c}}"; need "inline:{name=value...}"`],
    ['inline:{{"x" y=c}}', `missing '=' after attribute name: "inline:{{"x" y=c}}"; need "inline:{name=value...}"`],
    ['inline:{{a b = c}}', `missing '=' after attribute name: "inline:{{a b = c}}"; need "inline:{name=value...}"`],
    ['inline:{}', 'bad syntax: "inline:{}"; need "inline:{name=value...}"'],
    ['inline:{ }', 'empty table: "inline:{ }"; need "inline:{name=value...}"'],
    ['randmap:{,}', 'bad syntax: "randmap:{,}"; need "randmap:{value...}"'],
    ['pipemap:{}', 'bad syntax: "pipemap:{}"; need "pipemap:{type:name...}"'],
    ['socketmap:name', 'socketmap requires server:socketmap argument'],
    ['socketmap:inet:name', 'need service transport:endpoint instead of "inet"'],
    ['/etc/virtual', 'open dictionary: expecting "type:name" form instead of "/etc/virtual"'],
    ['fail:', 'open dictionary: expecting "type:name" form instead of "fail:"'],
  ];
  for (const [spec, reason] of reasons) {
    it(`is told of once, and at each lookup: ${spec}`, async () => {
      using bench = new Workbench();
      assert.equal((await bench.ask(spec, 'key')).kind, 'failed');
      assert.equal((await bench.ask(spec, 'key')).kind, 'failed');
      assert.deepEqual(bench.errors, [reason]);
      assert.deepEqual(bench.warnings, [`${spec} is unavailable. ${reason}`, `${spec} is unavailable. ${reason}`]);
    });
  }

  it('fails the tables that are made of it', async () => {
    using bench = new Workbench();
    assert.equal((await bench.ask('unionmap:{inline:{a=b}, hash:/nonexistent}', 'a')).kind, 'failed');
    assert.deepEqual(bench.errors, ['open database /nonexistent.db: No such file or directory']);
    assert.deepEqual(bench.warnings, [
      'hash:/nonexistent is unavailable. open database /nonexistent.db: No such file or directory',
    ]);
  });

  it('is too dangerous from the network where programs are run', () => {
    using bench = new Workbench();
    bench.open('tcp:127.0.0.1:1', { paranoid: true });
    bench.open('socketmap:inet:127.0.0.1:1:x', { paranoid: true });
    assert.deepEqual(bench.errors, [
      'tcp:127.0.0.1:1 map is not allowed for security sensitive data',
      'socketmap:inet:127.0.0.1:1:x map is not allowed for security-sensitive data',
    ]);
  });
});

describe('an inline table', () => {
  it('has keys with quotes and backslashes, which protect spaces and equal signs', async () => {
    using bench = new Workbench();
    const spec = String.raw`inline:{{"q u"@x = "r s"@y}, {"a=b"@x=c}, {d\ e = f}, {g"h \" i"j=k}}`;
    const values: string[] = [];
    for (const key of ['"q u"@x', '"a=b"@x', String.raw`d\ e`, String.raw`g"h \" i"j`, 'd e']) {
      const found = await bench.ask(spec, key);
      values.push(found.kind === 'found' ? found.value : found.kind);
    }
    assert.deepEqual(values, ['"r s"@y', 'c', 'f', 'k', 'missing']);
  });
});

describe('a list of tables', () => {
  it('takes an empty result for a mistake, where that is not asked for', async () => {
    using bench = new Workbench();
    const spec = 'inline:{{key= } {other=x}}';
    const list = bench.opener.list(spec, {}, 'canonical_maps');
    const found = await list.lookup('key');
    assert.equal(found.kind === 'failed' && found.isMistake, true);
    assert.equal((await list.lookup('other')).kind, 'found');
    assert.deepEqual(bench.warnings, [
      'canonical_maps lookup of key returns an empty string result',
      'canonical_maps should return NO RESULT in case of NOT FOUND',
    ]);
    assert.equal((await bench.opener.list(spec, { allowsEmpty: true }).lookup('key')).kind, 'found');
  });
});

describe('tables of a service that starts at its first message', () => {
  it('are opened all at once when the first of them is asked', async () => {
    using bench = new Workbench();
    const errors: string[] = [];
    const opener = new TableOpener({
      settings: bench.settings,
      configDirectory: bench.directory,
      warn: () => undefined,
      error: (text) => errors.push(text),
      isLate: true,
    });
    const list = opener.list('inline:{a=b} unix:foo');
    opener.open('nosuchtype:x');
    assert.deepEqual(errors, []);
    assert.equal((await list.lookup('a')).kind, 'found');
    assert.deepEqual(errors, ['unknown table: unix:foo', 'unsupported dictionary type: nosuchtype']);
    opener.closeAll();
  });
});

describe('a lookup that fails', () => {
  it('is told of by the list it happened in', async () => {
    using bench = new Workbench();
    const list = bench.opener.list('inline:{a=b} fail:x inline:{c=d}');
    assert.equal((await list.lookup('a')).kind, 'found');
    assert.equal((await list.lookup('c')).kind, 'failed');
    assert.deepEqual(bench.warnings, ['fail:x lookup error for "c"']);
  });

  const match = async (bench: Workbench, value: string, key: string): Promise<MatchResult> =>
    bench.opener
      .matchList(
        'mynetworks',
        'namadr',
        splitList(value).map((text) => ({ text })),
      )
      .matches('client.example', key);

  it('makes a membership unknown', async () => {
    using bench = new Workbench();
    assert.deepEqual(await match(bench, 'fail:nets', '192.0.2.1'), { failed: 'fail:nets: Application error' });
    assert.deepEqual(bench.warnings, ['mynetworks: fail:nets: table lookup problem']);
  });

  it('is what a file of a list that is not there comes to', async () => {
    using bench = new Workbench();
    assert.equal(typeof (await match(bench, '192.0.2.1 /nonexistent', '192.0.2.2')), 'object');
    assert.equal(await match(bench, '192.0.2.1 /nonexistent', '192.0.2.1'), 'yes');
    assert.deepEqual(bench.errors, ['open file /nonexistent: No such file or directory']);
    assert.deepEqual(bench.warnings, [
      'non-existent:/nonexistent is unavailable. open file /nonexistent: No such file or directory',
      'mynetworks: non-existent:/nonexistent: table lookup problem',
    ]);
  });

  it('is what a network comes to that is none', async () => {
    using bench = new Workbench();
    assert.equal(typeof (await match(bench, '192.0.2.1/33', '192.0.2.1')), 'object');
    assert.deepEqual(bench.warnings, ['mynetworks: bad mask length in "192.0.2.1/33"']);
  });
});
