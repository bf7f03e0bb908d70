import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('force_mime_input_conversion', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());
  const settings = 'force_mime_input_conversion = yes\n';
  const convert = async (lines: readonly string[], more = ''): Promise<string> => {
    const content = lines.map((line) => `${line}\r\n`).join('');
    const taken = await bench.take(settings + more, { content, rewriteContext: 'remote' });
    return taken.content.replaceAll('\r\n', '\n');
  };

  it('makes 8-bit content quoted-printable, and says so behind the other fields', async () => {
    const got = await convert(['Content-Transfer-Encoding: 8bit', 'X: y', '', 'grün = x ', 'plain']);
    assert.equal(got, 'X: y\nContent-Transfer-Encoding: quoted-printable\n\ngr=C3=BCn =3D x=20\nplain\n');
  });

  it('leaves what claims to be 7-bit, or is encoded', async () => {
    assert.equal(await convert(['X: y', '', 'grün']), 'X: y\n\ngrün\n');
    const encoded = ['Content-Transfer-Encoding: base64', '', 'Z3LDvG4='];
    assert.equal(await convert(encoded), `${encoded.join('\n')}\n`);
  });

  it('converts parts and attached messages', async () => {
    const eightBit = 'Content-Transfer-Encoding: 8bit';
    const message = ['Content-Type: multipart/mixed; boundary=A', eightBit, '', 'grün', '--A', eightBit, '', 'grün'];
    const attached = ['--A', 'Content-Type: message/rfc822', eightBit, '', 'Subject: x', eightBit, '', 'grün', '--A--'];
    assert.equal(
      await convert([...message, ...attached]),
      'Content-Type: multipart/mixed; boundary=A\nContent-Transfer-Encoding: 7bit\n\ngrün\n' +
        '--A\nContent-Transfer-Encoding: quoted-printable\n\ngr=C3=BCn\n' +
        '--A\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\n' +
        'Subject: x\nContent-Transfer-Encoding: quoted-printable\n\ngr=C3=BCn\n--A--\n',
    );
  });

  it('comes before the checks', async () => {
    const rules =
      'header_checks = regexp:{{/quoted-print/ PREPEND X-Seen: yes}}\nbody_checks = regexp:{{/=C3/ REPLACE seen}}\n';
    const got = await convert(['Content-Transfer-Encoding: 8bit', '', 'grün'], rules);
    assert.equal(got, 'X-Seen: yes\nContent-Transfer-Encoding: quoted-printable\n\nseen\n');
  });

  it('breaks lines of any length softly', async () => {
    const got = await convert(['Content-Transfer-Encoding: binary', '', 'ü'.repeat(1500)]);
    const lines = got.slice(got.indexOf('\n\n') + 2).split('\n');
    assert.ok(lines.every((line) => line.length <= 76));
    assert.equal(lines.join('').replaceAll(/=(?!C3|BC)/g, ''), '=C3=BC'.repeat(1500));
  });
});
