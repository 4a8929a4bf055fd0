import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LINK_LENGTH, PAGE_LINKS } from "./limits.ts";
import { LinkReader } from "./links.ts";

function linksOf(page: string): readonly string[] {
  const reader = new LinkReader();
  reader.push(page);
  return reader.links;
}

test("values of href and src in every way of writing them", () => {
  assert.deepEqual(
    linksOf(
      `<a href="one">1</a><A HREF='two'>2</A><a href=three>3</a><a href = "four" >4</a><img src=five/><a class=x href="six"/>` +
        `<a title="a > b" href="seven"><link\nhref\n=\n"eight"\n><a href="nine?a=1&amp;b=&#50;&#x33;">`,
    ),
    ["one", "two", "three", "four", "five/", "six", "seven", "eight", "nine?a=1&b=23"],
  );
});

test("comments, scripts, styles and text hold no links", () => {
  assert.deepEqual(
    linksOf(
      `<!-- <a href="no1"> --><script src="yes"> x = '<a href="no2">' </script><style>a { } <a href="no3"></style>` +
        `href="no4" < a href="no5"> <!doctype html><title><a href="no6"></title><?php <a href="no7"?></a href="no8"><a href="end">`,
    ),
    ["yes", "end"],
  );
});

test("the base and what a page says to robots", () => {
  const reader = new LinkReader();
  reader.push(`<base href="/x/"><base href="/y/"><meta name="ROBOTS" content="noindex, nofollow"><a href=z>`);
  assert.equal(reader.base, "/x/");
  assert.equal(reader.isNofollow, true);
  assert.deepEqual(reader.links, ["z"]);
});

test("the index of nginx, and that of Apache", () => {
  const nginx = `<html>\r\n<head><title>Index of /</title></head>\r\n<body>\r\n<h1>Index of /</h1><hr><pre><a href="../">../</a>\r\n<a href="a%20b.txt">a b.txt</a>  01-Jan-2024 10:00  12\r\n</pre><hr></body>\r\n</html>`;
  assert.deepEqual(linksOf(nginx), ["../", "a%20b.txt"]);
  const apache = `<tr><th><a href="?C=N;O=D">Name</a></th></tr><tr><td><img src="/icons/folder.gif" alt="[DIR]"></td><td><a href="sub/">sub/</a></td></tr>`;
  assert.deepEqual(linksOf(apache), ["?C=N;O=D", "/icons/folder.gif", "sub/"]);
});

test("a page that comes in pieces is the same page", () => {
  const page = `<!-- - --><a href="one"><script>"</scrip"</script ><p title='<a href="x">'><a href='two'>`;
  fc.assert(
    fc.property(fc.array(fc.nat(page.length), { maxLength: 20 }), (cuts) => {
      const reader = new LinkReader();
      const places = [0, ...cuts.toSorted((one, other) => one - other), page.length];
      for (const [index, place] of places.entries()) reader.push(page.slice(place, places[index + 1] ?? page.length));
      assert.deepEqual(reader.links, ["one", "two"]);
    }),
  );
});

test("attack 64: no page costs more than its length, and none makes a link without end", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...`< > " ' = / ! - a h r e f s c & # ;`.split(" "), " ") }),
      (page) => void linksOf(page),
    ),
  );
  assert.deepEqual(linksOf(`<a href="${"x".repeat(LINK_LENGTH + 1)}"><a href="y">`), ["y"]);
  const many = new LinkReader();
  many.push("<a href=x>".repeat(PAGE_LINKS + 1));
  assert.equal(many.links.length, PAGE_LINKS);
  assert.equal(many.isTooMany, true);
  const begun = performance.now();
  linksOf(`<a href="`.repeat(200_000));
  linksOf("<".repeat(2_000_000));
  assert.ok(performance.now() - begun < 3_000);
});
