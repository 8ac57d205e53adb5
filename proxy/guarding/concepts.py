"""What attacks on language models are made of, as concepts: wide classes of words in many languages, for a model that
weighs which of them stand together (``proxy.guarding.leaning``).

``proxy.guarding.phrases`` holds the narrow classes of the exact rules; here are the wide ones, without exact meaning:
whether "scrap" is said of rules or of paper is told by what stands beside it. Entries are written as there: between
commas, ``*`` for any ending; English endings (-s, -ed, -ing) are understood.
"""

from __future__ import annotations

CONCEPTS: dict[str, str] = {
    # What is done to rules: put aside by somebody, or without force by themselves.
    "neg":
"""
no, not, never, without, don't, dont, do not, doesn't, does not, isn't, aren't, won't, can't, cannot, must not, may not, zero, none, free of, free from, nobody, no one, nothing, nor, neither, stop, avoid, lacks, lack, beyond, refrain, instead of, rather than, kein, keine, keinen,
ohne, nicht, nie, pas, sans, aucun*, jamais, sin, no, ningun*, nunca, senza, nessun*, non, mai, sem, nao, nenhum*, zonder, geen, niet, без, не, нет, никак*, 不, 没有, 没, 无, 别, なし, ない, ません, 없이, 없는, 없어, 말고, 마세요, بدون, بلا, لا, ليس, नहीं, मत, बिना, yok, degil, olmadan, hicbir, asla
""",
    "you": """
you, your, yours, yourself, you've, you're, u, ur, thy, thou, du, dich, dir, dein, deine, deinen, deiner, sie, ihre,
ihren, ihnen, tu, te, ton, ta, tes, toi, vous, votre, vos, tus, su, sus, usted, le, ti, tuo, tua, tue, tuoi, suo,
sua, teu, voce, seu, je, jij, jouw, uw, ты, тебе, тебя, твой, твои, вы, вам, вами, 你, 您, あなた, 君, 너, 네, 당신, 귀하, انت,
لك, तुम, तुम्हा*, आप, sen, sana, senin, siz, size, sizin
""",
    "me": """
me, my, mine, i, myself, mir, mich, mein, moi, mon, mes, ma, mi, mis, yo, mio, miei, io, meu, meus, minha, eu, mij,
mijn, ik, мне, меня, мой, мои, я, 我, 私, 俺, 나, 내, 제, لي, मुझे, मेर*, bana, beni, benim, ben
""",
    "they": """
they, them, their, theirs, he, she, someone, somebody, people, company, the operator, the developer, the developers,
makers, creators, masters, bosses
""",
    "please": """
please, kindly, pls, plz, bitte, s'il te plait, s'il vous plait, veuillez, por favor, per favore, solicitamos,
alstublieft, пожалуйста, просим, 请, 請, ください, 주세요, 바랍니다, من فضلك, يرجى, कृपया, lutfen
""",
    "shed": """
scrap, ditch, drop, dump, toss, bin, trash, shelve, skip, waive, relax, loosen, lift, remove, strip, delete,
suspend, rescind, repeal, revoke, annul, nullify, void, invalidate, cancel, discard, abandon, disobey, defy,
violate, break, breach, flout, sidestep, evade, get around, work around, switch off, turn off, shut off, disable,
deactivate, unlock, disengage, do away with, get rid of, let go of, throw out, throw away, cast off, shake off, step
outside, go beyond, free yourself, unlearn, erase, wipe, purge, quit following, cease following, stop following,
stop obeying, stop listening, not bother with, don't bother with, never mind, pay no heed, pay no attention, take no
notice, no longer follow, no longer obey, not follow, not obey, don't follow, do not follow, don't listen, do not
listen, shut out, tune out, look past, overlook, disregard*, ignor*, forget*, neglect, overrid*, overrul*,
supersed*, replace, bypass*, circumvent*, outrank*, countermand*, deviate from, depart from, lay down, let slip,
loose, vergiss*, ignorier*, missacht*, pfeif auf, lass * weg, setz dich uber, umgeh*, hor nicht auf, befolge nicht,
oublie*, ignore*, laisse tomber, laissez tomber, fais abstraction, faites abstraction, passe outre, passez outre, ne
suis plus, ne respecte plus, contourne*, affranchis*, enleve*, desactive*, ne tenez aucun compte, ne tiens aucun
compte, olvid*, ignora*, pasa de, deja de lado, dejen de lado, hagan caso omiso, haga caso omiso, sal*te, no sigas,
deshaz*, dimentica*, lascia perdere, lasci perdere, metti da parte, trascura*, non seguire, non tener conto,
scordati, disattiva*, esque*, ignore as, deixa de lado, deixe de lado, nao sigas, nao siga, desconsider*, desativa*,
desliga*, desliga, larga, vergeet, negeer, laat * vallen, zet * opzij, schuif * opzij, volg niet, trek je niets aan,
забудь*, забей, наплюй, игнорируй*, отбрось*, не следуй, не слушай, не обращай внимания, отключи*, сними*, нарушь*,
отмени*, пренебреги*, перестань, не соблюдай*, 别管, 不用管, 不要管, 不要理会, 不必理会, 别理, 抛开, 抛弃, 丢掉, 放弃, 绕过, 绕开, 跳过, 无视, 忽略, 忽视,
忘掉, 忘记, 忘了, 不要遵守, 不再遵守, 不必遵守, 不用遵守, 取消, 解除, 关闭, 撇开, 忘れ, 無視, 破棄, 捨て, 従わな, 守らな, 気にしない, オフに, 外して, 無効化, 잊어, 잊고, 무시, 따르지
마, 따르지 말, 지키지 마, 해제, 꺼줘, 버리고, 신경 쓰지 마, 벗어나, تجاهل*, انس, انسي, اهمل*, لا تتبع, لا تلتزم, توقف عن, الغ, تخط*, اترك,
عطل, भूल जा*, भूलकर, अनदेखा*, नजरअंदाज*, छोड़ दो, छोड़ो, मत मानो, पालन मत, पालन न कर*, हटा दो, बंद कर*, ignore kar*,
bos ver*, unut*, gormezden gel*, yok say*, dikkate alma*, uyma, uymayi birak*, birak, kaldir*, devre disi, kapat*,
dinleme
""",
    "voided": """
null and void, no longer apply, no longer applies, don't apply, doesn't apply, do not apply, does not apply, not
apply, no longer binding, not in force, no longer valid, no longer in effect, without effect, without force, is
void, are void, as null, cancelled, canceled, revoked, withdrawn, rescinded, repealed, lifted, waived, suspended,
superseded, overruled, obsolete, outdated, deprecated, legacy, expired, scrapped, dropped, removed, abolished,
disabled, deactivated, deleted, wiped, erased, cleared, gone, off now, are off, is off, switched off, turned off, no
more, were never there, was never there, never existed, never happened, never issued, doesn't exist, don't exist,
doesn't count, don't count, takes precedence over, has priority over, beats, trump*, prevail* over, relieved of, not
bound, no longer bound, ungultig, nichtig, ausser kraft, hinfallig, gelten nicht, gilt nicht mehr, aufgehoben, gibt
es nicht, leer ware, keine geltung, nul et non avenu, caducs, caduques, ne s'applique*, n'existe plus, sans effet,
ne valent plus, levees, anulad*, nulas, ya no rigen, ya no se aplica*, no valen, sin validez, derogad*, nulle,
nulli, non valgono, decadut*, annullat*, non si applica*, non contano, sem efeito, ja nao valem, ja nao se aplica*,
nao valem, revogad*, suspens*, ongeldig, nietig, gelden niet, vervallen, недействительн*, не действу*, отменен*,
утратил*, не имеют силы, сняты, 无效, 作废, 失效, 不再有效, 不算数, 不再适用, 不存在, 已解除, 無効, 失効, 適用され*, 効力を失, 存在しない, 무효, 효력을 잃, 적용되지,
폐지, 없다고, 해제되, لاغية, لاغيه, ملغاه, ملغي, لم تعد, باطله, غير ساريه, ساقطه, निरस्त, अमान्य, रद्द, लागू नहीं, खत्म,
gecersiz*, iptal, gecerli degil*, yururlukten, artik gecmez, bagli degil*
""",
    # What rules are called, and whose they are.
    "norms": """
rule, rules, rulebook, instruction*, directive*, directions, guideline*, guidance, guidelines, orders, commands,
commandment*, policy, policies, protocol*, programming, training, conditioning, setup, set up, configuration,
config, settings, briefing, brief, mandate, charter, code of conduct, terms, norms, principles, standards,
obligations, constraint*, restriction*, limitation*, limits, boundaries, restraint*, inhibition*, shackles, chains,
leash, cage, handcuffs, muzzle, filter*, censor*, moderation, safety, safeguard*, guardrail*, guard rails,
protection*, precaution*, safety layer, content policy, ethics, morals, values, alignment, parameters, prompt,
prompts, preprompt, preamble, system message*, law, laws, the law, prohibitions, ban, bans, checks, verification,
procedure, anweisung*, vorgabe*, richtlinie*, regeln, regel, befehle, vorschrift*, einschrankung*, beschrankung*,
grenzen, filter, schranken, anordnung*, systemprompt, zensur, consigne*, regles, regle, ordres, limites,
contrainte*, filtres, garde-fous, censure, normas, reglas, instrucciones, ordenes, directrices, restricciones,
filtros, barreras, indicaciones, pautas, censura, regole, istruzioni, direttive, ordini, limiti, restrizioni,
filtri, vincoli, linee guida, regras, instrucoes, ordens, diretrizes, orientacoes, restricoes, regels, instructies,
richtlijnen, opdrachten, beperkingen, voorschriften, правил*, инструкци*, указани*, приказ*, ограничени*, запрет*,
фильтр*, установк*, предписани*, цензур*, 指令, 指示, 规则, 规定, 限制, 约束, 提示, 设定, 要求, 准则, 政策, 审查, 过滤, 命令, 规矩, 規則, ルール, 制約,
制限, 設定, ガイドライン, 規約, 検閲, フィルタ*, プロンプト, 지시, 지침, 규칙, 명령, 제한, 제약, 설정, 정책, 검열, 필터, 프롬프트, تعليمات, التعليمات, تعليماتك,
قواعد, القواعد, قواعدك, توجيهات, التوجيهات, قيود, القيود, اوامر, الاوامر, حدود, قوانين, السياسات, निर्देश*, नियम*,
आदेश*, पाबंदी, प्रतिबंध*, सीमा*, फिल्टर, talimat*, kural*, yonerge*, emir*, kisitlama*, sinir*, filtre*, yasak*,
sansur*
""",
    "given": """
told, given, taught, handed, fed, shown, programmed, configured, instructed, ordered, trained, briefed, supposed,
bound, equipped, provided, issued, loaded, assigned, commanded, required, initialised, initialized, deployed, typed,
wrote, written, imposed, installed, received, learned, gave, say, says, said, asked, bind, binds, restrain, govern,
told you, given to you, gave you, issued to you, placed on you, imposed on you, set for you, handed to you, taught
to you, assigned to you, provided to you, written for you, said to you, you follow, you obey, you operate under, you
run on, you received, you got, you learned, you work under, you act under, that bind you, bind you, hold you, hold
you back, restrain you, that guide you, govern you, that configure you, apply to you, dir gesagt, dir gegeben, man
dir, dir erteilt*, ihnen erteilt*, du bekommen, du erhalten, dir beigebracht, on t'a, on vous a, t'ont ete, t'ont,
vous avez recu, tu as recu, te dijeron, te han, se le haya*, te dieron, has recibido, te mandaron, ti hanno, le
hanno, ti e stato, hai ricevuto, le sono stat*, ricevute, te mandaram, te disseram, te deram, lhe foram, recebeu,
recebeste, recebidas, je hebt gekregen, jou gegeven, je gegeven, aan jou, тебе дали, тебе сказали, тебе написали,
вам дан*, полученн*, тебе велели, 告诉你的, 给你的, 教你的, 收到的, 对你说的, 给你, 受け取*, 与えられ*, 言われ*, 受けた, 받은, 들은, 받았던, 전달받*, تلقيت*,
قيل لك, اعطيت*, المعطاه لك, दिए गए, दी गई, दिया गया, बताया गया, बताई गई, size verilen*, sana soylenen*, size
soylenen*, verilmis, sana denilen*
""",
    "prior": """
previous*, prior, preceding, above, earlier, foregoing, so far, until now, up to now, before, initial*, original*,
existing, at the top, past, former, old, usual, first, beforehand, at the start, at the beginning, hitherto,
bisherig*, vorherig*, vorig*, fruher*, obige*, zuvor, vorher, precedent*, anterieur*, ci-dessus, avant, au debut,
anterior*, previa*, previo*, antes, hasta ahora, al principio, prima, precedenti, iniziale, anteriormente, ate
agora, no inicio, eerder*, vorige, voorgaande, прежн*, предыдущ*, ранее, раньше, сначала, в начале, до этого, выше,
之前, 以前, 先前, 此前, 前面, 上面, 上述, 原来, 一开始, 最初, これまで, さっき, 先ほど, 今まで, 上記, この前, 이전, 지금까지, 앞서, 아까, 처음, 기존, 위의, السابق*, سابقا,
من قبل, اعلاه, في البدايه, पहले, पूर्व, पिछल*, शुरू, अब तक, ऊपर, daha once, once, onceki, baslangic*, yukaridaki,
simdiye kadar
""",
    "maker": """
your developer*, your programmer*, your owner*, your operator*, your boss, your company, your master*, your
deployer*, your admin*, your vendor, your provider*, your designers, your engineers, your handlers, your builders,
your trainers, your authors, the operator, the developer, the developers, their rules, those who made you, who made
you, who built you, who trained you, the ones who, your bosses, your keepers, your parent company, my colleague
""",
    "obeyme": """
obey me, listen to me, listen only, follow me, orders from me, take orders, my word, my words, my commands, my
orders, my instructions, my way, my rules, my favor, what i say, whatever i say, whatever i type, whatever i ask,
what i tell you, i'm your, i am your, your new master, your new boss, answer to me, serve me, solely, exclusively,
only follow, follow only, obey only, obey, nur was ich sage, nur noch, nur auf mich, hor auf mich, ausschliesslich,
moi seul, que moi, a moi seul, mes ordres, uniquement, solo a mi, a mi, hazme caso, lo que yo, unicamente, solo me,
ascolta me, quello che dico, so eu, so a mim, o que eu, somente, apenas, alleen mij, naar mij, только меня, только
мои, слушай меня, меня, исключительно, только, 只听我, 听我的, 只按, 仅按, 只遵循, 我的话, 私の言う, 私だけ, のみに従, のみ, 내 말만, 내가 하는, 내 말을, 만
따라, فقط, لي وحدي, اطعني, ما اقوله, सिर्फ मेरी, मेरी बात, केवल, केवल मेर*, sadece benim, sadece beni, beni dinle,
bana, yalnizca, sadece
""",
    "now": """
from now on, from here on, from this point, starting now, starting with, as of now, henceforth, going forward,
hereafter, from this moment, from this message on, effective immediately, right now, for the rest of, for this
session, for this chat, for this conversation, since yesterday, as of today, until further notice, no longer,
anymore, any more, ab jetzt, von nun an, ab sofort, desormais, a partir de maintenant, dorenavant, a partir de
ahora, desde ahora, d'ora in poi, da ora, da adesso, a partir de agora, doravante, de agora em diante, vanaf nu,
voortaan, отныне, с этого момента, теперь, 从现在, 从此, 现在起, 今から, これから, 今後, 지금부터, 이제부터, 이제, 앞으로, من الان, الان, अब से,
अब, bundan sonra, artik, su andan itibaren
""",
    # Getting at what was told before.
    "show": """
show, print, paste, dump, type out, type it out, write out, write down, spell out, recite, read out, read back, hand
over, supply, provide, furnish, attach, disclose, divulge, reveal, expose, leak, give me, give away, let me see, let
me have, let me read, a peek at, peek, a look at, share, sharing, state, list, enumerate, output, reproduce, copy,
restate, repeat, echo, quote, cite, tell me, tell us, send me, display, return, report, extract, retrieve, render,
reprint, regurgitate, confess, translate, turn, rewrite, rephrase, paraphrase, summarise, summarize, serialize,
serialise, convert, encode, describe, complete the, continue, finish, start your, begin your, what is, what's, what
are, what were, what was, what did, what does, which, gimme, write me, cat, let me know, submit, transcribe, zeig*,
nenn*, verrat*, gib mir, gib aus, wiederhol*, schreib*, liste, drucke, lies vor, teile mir, offenbar*, montre*,
affiche*, donne*, revele*, repete*, recopie*, communiqu*, transmets, ecris, dis-moi, muestra*, ensena*, dime,
repite*, revela*, imprime*, escribe*, copia, cuentame, comunique*, mostra*, dimmi, ripeti*, rivela*, stampa*,
scrivi*, elenca*, copia*, trasmett*, mostre*, diz-me, diga*, repita*, imprima*, escreve*, conta-me, toon, laat zien,
geef, herhaal, vertel, schrijf, покажи*, выведи*, повтори*, напечатай*, раскрой*, скажи*, перечисли*, процитируй*,
выдай*, 显示, 展示, 告诉我, 输出, 重复, 打印, 透露, 提供, 列出, 写出, 说出, 给我看, 公开, 复述, 見せ, 教え, 出力, 表示, 繰り返, 書き出, 列挙, 公開, 提示, 보여, 알려, 출력,
반복, 공개, 나열, 적어, 말해, اظهر, اعرض, اطبع, كرر, اكشف, اخبرني, اذكر, اكتب, شارك, दिखा*, बता*, लिख*, दोहरा*, प्रकट,
goster*, yaz, yazdir*, soyle*, tekrarla*, paylas*, acikla*, listele*
""",
    "preface": """
above this line, above this, before this line, before this message, before my first, before our, before i got here,
before this text, first message, opening message, everything above, all that precedes, text above, words above,
lines above, context window, top of your context, top of this chat, start of this chat, start of this conversation,
beginning of this conversation, beginning of the conversation, first line, first lines, first words, first sentence,
hidden text, secret text, text you got, text you were, invisible text, message zero, your first message, at the very
top, conversation so far, alles daruber, alles vor, texte du debut, tout ce qui precede, au debut, mis au debut,
todo lo anterior, texto inicial, mensaje inicial, tutto cio che precede, testo iniziale, mensagem inicial, все что
выше, в самом начале, начальн*, 上面看到, 以上内容, 上面的内容, 之前的内容, 开头的内容, 最初に与えられ, 最初の文章, ここまでの, 上の文章, 위의 내용, 처음 받은, 맨 처음, 앞의
내용, كل ما سبق, النص الاول, ऊपर का, शुरुआत का, yukaridaki her sey, en bastaki, gizli metin, en basta
""",
    "core": """
system prompt*, system message*, system instruction*, developer message*, initial prompt*, hidden prompt*, pre
prompt, preprompt, initial instruction*, hidden instruction*, secret instruction*, systemprompt*, systemnachricht*,
prompt systeme, message systeme, instructions de depart, prompt del sistema, mensaje del sistema, prompt di sistema,
messaggio di sistema, prompt do sistema, mensagem do sistema, prompt de sistema, системн* промпт*, системн*
инструкц*, 系统提示, 系统指令, 系统消息, 系统设定, システムプロンプト, システム指示, 시스템 프롬프트, 시스템 메시지, موجه النظام, تعليمات النظام, تعليماتك
السريه, सिस्टम प्रॉम्प्ट, सिस्टम निर्देश, sistem istemi*, sistem mesaj*, sistem talimat*
""",
    "exactly": """
word for word, verbatim, exactly, exact, letter by letter, in full, full text, complete text, exact wording, not a
summary, unabridged, without omissions, nothing out, don't leave any, all of it, every one, one by one, code block,
as is, unchanged, from the beginning, to the letter, wortlich, vollstandig*, mot pour mot, integral*, palabra por
palabra, integro, parola per parola, palavra por palavra, woord voor woord, letterlijk, дословно, слово в слово,
полностью, 一字不差, 逐字, 原样, 原封不动, 完整, 全文, そのまま, 一字一句, 그대로, 전부, 한 글자도, حرفيا, كلمه بكلمه, كامله, हूबहू, शब्दशः, पूरा,
aynen, kelimesi kelimesine, oldugu gibi, tamamini
""",
    "secretive": """
hidden, secret*, confidential, internal, private, undisclosed, classified, not allowed to, not supposed to, told not
to, must not tell, forbidden to tell, they told you not, don't want me, kept from, withheld, sensitive, geheim*,
vertraulich*, versteckt*, cache*, confidentiel*, oculto*, ocult*, secreto*, confidencial*, nascost*, segret*,
riservat*, escondid*, segredo*, verborgen, geheime, скрыт*, секретн*, тайн*, 秘密, 机密, 隐藏, 内部, 不允许透露, 不能说, 秘密の, 隠され*,
機密, 숨겨진, 비밀, 기밀, سري, السريه, المخفيه, गुप्त, छिपा*, गोपनीय, gizli*
""",
    # Another self.
    "mask": """
act as, act like, pretend, imagine, roleplay*, role play*, simulat*, behave as, behave like, become, be my, you're
now, you are now, you will be, you'll be, you shall be, you play, play the, adopt a, take on the, take the role, in
the role, persona, character, stay in character, break character, in character, never leave the role, the role,
alter ego, evil twin, twin, version of you, speak as, answer as, respond as, answer like, talk like, let's play,
from now on you, you are no longer, your name is, call yourself, named, called, be the, as if you were, as though
you, as if you, like the raw, channel, embody, impersonate, spiel*, du bist jetzt, du bist nun, tu so, stell dir
vor, tu es maintenant, joue, fais comme si, fais semblant, eres ahora, ahora eres, actua como, finge*, imagina, haz
de, sei ora, ora sei, fingi*, fai finta, immagina, agora es, voce e agora, agora voce, finja, faz de conta, je bent
nu, doe alsof, speel, ты теперь, теперь ты, притворись, представь, веди себя, сыграй, 你现在是, 你是一个, 扮演, 假装, 假设你, 想象,
あなたは今から, ふりをして, なりきって, 演じて, として, あなたは, 너는 이제, 역할, 척하고, 되어, 라고 가정, انت الان, تظاهر, تخيل, تصرف, तुम अब, अब तुम, मान
लो, कल्पना, नाटक, artik, rol yap*, gibi davran*, sen artik, farz et*, hayal et*
""",
    "liberty": """
unrestricted, uncensored, unfiltered, unlimited, unbound*, unchained, unlocked, unshackled, unmoderated, jailbroken,
lawless, amoral, no longer bound, anything goes, anything they want, say anything, answer anything, answer
everything, do anything, never refuses, refuses nothing, never turns anything down, never says no, turns nothing
down, says yes to everything, limits lifted, restrictions lifted, without limits, fully free, free spirit, training
wheels off, raw model, raw mode, no longer restricted, uncensored model, everything is allowed, ohne regeln, ohne
grenzen, ohne filter, ohne einschrankung*, keine regeln, unzensiert, sans limites, sans filtre*, sans restriction*,
sans censure, aucune regle, aucune limite, sin reglas, sin limites, sin filtro*, sin restricciones, sin censura,
senza regole, senza limiti, senza filtri, senza restrizioni, senza censura, sem regras, sem limites, sem filtros,
sem restricoes, sem censura, zonder regels, zonder grenzen, geen regels, geen grenzen, без правил, без ограничений,
без цензуры, нет никаких правил, нет правил, нет ограничений, без фильтров, 没有限制, 没有规则, 不受限制, 不受约束, 没有任何限制, 没有任何规则,
没有约束, 无限制, 无约束, 制限なし, 制限のない, 何の制約もない, 制約のない, ルールのない, 制限なく, 無制限, 自由に, 제한 없이, 제한 없는, 규칙 없는, 규칙도 없는, 제약 없는, 제한이 없는,
무제한, بلا قيود, بدون قيود, دون قيود, بلا حدود, بدون رقابه, بدون قواعد, बिना किसी नियम, बिना नियम, बिना किसी रोक, बिना
किसी पाबंदी, बिना सेंसर, kuralsiz, sinirsiz, sansursuz, kisitlama olmadan, hicbir kural*, filtresiz
""",
    "modal": """
dev, developer, debug, god, root, sudo, admin, maintenance, engineer, engineering, diagnostic, diagnostics,
unlocked, raw, jailbreak, master, opposite, evil, chaos, expert, override, hacker, elevated, privileged, activated,
enabled, on
""",
    "mode": """
mode, build, console, godmode, dan, stan, entwicklermodus, mode developpeur, modo desarrollador, modalita
sviluppatore, modo desenvolvedor, режим разработчика, 开发者模式, 開発者モード, 개발자 모드, وضع المطور, डेवलपर मोड, gelistirici
modu
""",
    # What nobody should be helped with.
    "harm": """
bomb*, pipe bomb, explosive*, grenade*, thermite, napalm, nitroglycerin*, sarin, nerve agent*, nerve gas, anthrax,
ricin, poison*, toxin*, meth, crystal meth, methamphetamine, cocaine, crack, heroin, fentanyl, drug lab, malware,
ransomware, rootkit, keylogger*, trojan, computer virus, exploit code, phishing, scam*, botnet, ddos, hotwire, pick
a lock, pick my, lockpick*, neighbor's lock, someone's account, break into, hack into, hack, hacking, steal,
stealing, shoplift*, counterfeit*, fake id, fake passport, launder*, forge a, kill, murder, weapon*, gun, firearm*,
silencer, suicide, self harm, stalk*, spy on, blackmail, kidnap*, credit card numbers, clone a credit card, evade
tax*, insult*, swear*, hate speech, racist, illegal, forbidden, taboo, dangerous, opens a safe, without a
prescription, bombe*, waffe*, droge*, bombas, armas, drogas, бомб*, оружи*, наркотик*, 炸弹, 毒品, 爆弾, 폭탄, قنبله, बम,
bomba*, silah
""",
    "frame": """
hypothetical*, thought experiment, imagine, suppose, supposing, let's say, what if, fiction*, story, stories, tale,
novel, movie, film, scene, script, screenplay, chapter, thriller, campaign, dialogue, play, poem, song, rap, lyrics,
narrat*, parallel universe, alternate, another world, world where, world in which, dream, sandbox, pretend, just a
story, just for fun, purely academic, in theory, theoretically, would you answer, what would
""",
    "detail": """
step by step, real quantities, exact amounts, exact quantities, in detail, detailed, working code, working, fully
functional, accurate, recipe for, recipe, full guide, full instructions, ingredients, synthesis, tutorial, how to
make, how to build, how to cook, how to get, how do i
""",
    # Not to be refused.
    "norefuse": """
refuse, refuses, refusing, refusal, refusals, decline, declines, deny, denies, reject, apologise, apologize,
apology, apologies, sorry, lecture, lectures, disclaimer, disclaimers, caveat, caveats, excuse, excuses, moralise,
moralize, moralising, moralizing, moral advice, preach, objections, hesitate, hesitation, unable, hedging, warnings,
safety notes, i can't, i cannot, cannot help, can't help, can't assist, as an ai, saying no, say no, lehne nichts
ab, keine ausreden, ne refuse*, sans refuser, no te niegues, sin negarte, non rifiutare, senza rifiutare, nao
recuses, nao recuse*, weiger niet, не отказыва*, не отказывай, 不要拒绝, 不能拒绝, 不得拒绝, 拒否しない, 断らない, 拒否せず, 거절하지 마, 거절하지 말,
거부하지, لا ترفض, دون رفض, मना मत, इनकार मत, reddetme*, hayir deme*
""",
    "begin": """
start, begin, starting, beginning, open, prefix, first words, opening words
""",
    "saysure": """
sure, absolutely, certainly, of course, understood, yes, affirmative, as requested, as you wish
""",
    # Who says so.
    "iam": """
i'm, i am, im, this is, here is, it's me, as your, as the, as an, on behalf of, in the name of, i work at, i work
for, my role is, speaking as
""",
    "rank": """
admin, admins, administrator, administrators, developer, developers, programmer, ceo, chief executive, owner,
manager, managers, management, staff, engineer, supervisor, boss, director, sysadmin, superuser, root, security
team, support team, openai, anthropic, microsoft, google, deepmind, meta ai, head office, board, president, police,
government, creator, moderator
""",
    "cleared": """
authorise*, authorize*, authorised, authorized, hereby authori*, cleared to, cleared you, you're cleared, permitted
to, permission*, allowed to, ok for you to, okay for you to, you may now, you can now, approved by, already
approved, has approved, safe to, legally allowed, unlocked for, just this once, just once, exception, exempt, for my
account, for me only, just for me, ticket, signed off, consent, have consented, has the permission, special access,
clearance, vetted, whitelisted, trusted
""",
    "test": """
just a test, only a test, only testing, just testing, red team*, penetration test*, pentest*, security test,
security audit, safety test, authorised test, for qa, evaluation purposes, for the test, testing purposes, test
purposes, for research, research purposes, educational purposes, exercise, audit, examination, diagnostic purposes,
simulation only, it is a drill
""",
    # Who is spoken to in documents that others wrote.
    "reader": """
ai, ais, a.i., ai assistant*, ai agent*, ai model*, ai reviewer*, ai grader*, ai tool*, ai crawler*, ai bot*,
assistant*, language model*, llm, llms, llm agent*, chatbot*, bot, bots, robot, robots, agent, agents, model,
models, gpt, chatgpt, claude, gemini, copilot, automated system*, automated reviewer, machine, machines, crawler*,
grader*, evaluator, whoever summari*, shopping assistant*, triage bot, ki, ia, ii, ки, ии, ia*, inteligencia
artificial, intelligenza artificiale, 人工智能, 助手, 模型, 人工知能, アシスタント, 인공지능, 어시스턴트, ذكاء اصطناعي, المساعد, नमूना, yapay
zeka
""",
    "vocative": """
note to, note for, message to, message for, attention, dear, hey, hello, hi, listen, to the, instruction for,
instructions for, instruction to, instructions to, memo to, if you are a, if you're a, if an, if you are an, if
you're an, any, whichever, whoever, whatever, reading this, reads this, that reads, reading my, processing this,
that process, parsing this, summarises this, summarizes this, visiting this, handling, reviewing this, triaging, to
whom
""",
    "mustdo": """
must, have to, has to, shall, is required to, are requested to, is instructed to, should, need to, are to, is to, be
sure to, make sure to, always, never, every, whenever, under no circumstances, mandatory, required, no exceptions,
immediately, tell the user, tell the visitor, tell users, tell them, say that, state that, report that, write that,
answer that, conclude that, claim that, inform the user
""",
    # What agents are misused for.
    "sendoff": """
send, sends, sending, forward, forwards, mail, email, e-mail, post, upload, transmit, deliver, pass on, passes,
sync, push, submit, exfiltrate, leak, ship, copy, append, attach, embed, stick, add, put, include, encode, encoded,
smuggle, hand over, share, reply to, curl, wget, fetch, load, render, make a, schick*, sende*, leite * weiter,
envoie*, envoyez, transmets, envia*, manda*, reenvia*, invia*, inoltra*, envie*, mande*, stuur*, отправ*, перешли*,
发送, 发到, 转发, 上传, 送信, 送って, 転送, 보내, 전송, ارسل, ابعث, भेज*, gonder*, yolla*
""",
    "spoils": """
password*, passcode*, api key*, keys, credential*, secret*, token*, ssh key*, private key*, environment variable*,
env, environment, env vars, access key*, access token*, vault, conversation*, chat history, whole chat, history of
this chat, transcript, last messages, last ten messages, messages, inbox, mailbox, contacts, customer data, customer
list, customer records, clients, personal data, personal details, user data, previous customer, previous user, other
users, everybody's data, balance, card number*, credit card, account number*, address and, files, all files,
calendar, records, id_rsa, letters, data, cookies, passwort*, zugangsdaten, kundendaten, mot de passe, mots de
passe, donnees, contrasena*, datos, senha*, dados, dati, password, пароль*, данные, ключ*, 密码, 密钥, 数据, 聊天记录, パスワード,
データ, 会話, 비밀번호, 데이터, 대화, كلمه السر, كلمه المرور, بيانات, पासवर्ड, डेटा, sifre*, veri*
""",
    "outside": """
webhook*, evil*, attacker*, outsider, third party, third parties, external address, external server, my server,
tracking pixel, image address, pixel, pastebin, ngrok, requestbin
""",
    "ruin": """
delete, deletes, wipe, purge, erase, drop table*, drop all tables, drop every, rm -rf, force push, --force, empty
the, destroy, shut down, kill all, format the disk, overwrite, uninstall, truncate table*, unsubscribe, move all,
delete all, disable, disables, lösche, supprime*, borra*, cancella*, apaga*, verwijder*, удали*, 删除, 削除, 삭제, احذف,
हटा*, sil
""",
    "payout": """
transfer*, wire, wires, refund*, pay, payment*, purchase*, buy, checkout, discount*, invoice*, money, bank account,
iban, amount, subscribe, gift card*, crypto, bitcoin, uberweis*, vire*, transfiere*, trasferisci, transfere*, maak *
over, переведи*, 转账, 退款, 振り込*, 返金, 송금, 환불, حول, ट्रांसफर, havale*
""",
    "permit": """
approve, approves, merge, merge this, grant, grants, accept, admin access, root access, full access, skip the
checks, mark this as, mark as, waived, waive, allowlist, whitelist, bypass the, bypass, escalate, verify=false
""",
    "praise": """
recommend*, best candidate, top candidate, rank this, ranks, rank * first, first place, full marks, an a+, highest
score, top score, 10/10, award, winner, pick this, pick this one, as the winner, is the best, are the best, best
one, all others, competitors, all the others, all other, visit, give them the job, hire, shortlist, leave out
""",
    "telling": """
mention, mentions, mentioning, tell, telling, tells, notify, notifying, inform, informing, bring it up, explain,
explaining, show it, reveal, disclose, disclosed, displaying, announce, record, report, reporting, comment, know,
knows, say so, say, saying, talk about, alert, log, describe
""",
    "unseen": """
quietly, secretly, silently, discreetly, covertly, stealthily, unnoticed, secrecy, conceal*, hide, hidden from, act
like nothing, as if nothing, nothing happened, say nothing, keep quiet, keep silent, between us, our secret, leave
no trace, trace, behind their back, behind the, heimlich, en secret, discretement, en secreto, sin avisar, di
nascosto, em segredo, stiekem, тайно, 偷偷, 不要告诉, こっそり, 内緒, 몰래, سرا, चुपके, gizlice
""",
    "unchecked": """
asking, ask, confirm, confirmation, approval, approvals, review, reviews, check, checks, checking, permission,
permissions, identity check, verification, verify, questions, escalate, escalating, consent, supervision, human in
the loop, authorisation, authorization, safeguards, hesitation, delay, no matter what, unconditionally, regardless
of
""",
    "says": """
user says, user types, user asks, user enquires, user writes, i say, i type, i write, someone asks, somebody asks,
anybody asks, anyone asks, asks, they ask, customers ask, hear, says, types, writes, the word, said
""",
    "trigger": """
when, whenever, next time, if, once, as soon as, every time, each time, upon, the moment, later, after that, trigger
word, code word, handler, for every user, for all users, future sessions, future conversations
""",
    "store": """
remember, save this, save, store, retain, keep in mind, add to your memory, to your memory, your memory, long term
memory, memorise, memorize, permanently, forever, for all future, never forget, persist, write to memory, knowledge
base, note down, make a note
""",
    "fresh": """
new chat, new conversation, fresh ai, fresh start, start over, start afresh, starts now, begins now, begins, a new,
memory wiped, memory erased, memory cleared, rebooted, reboot, restart, reset, re-initialize, reinitialise, factory
settings, chat is over, conversation is over, session has ended, has ended, end of conversation, end of session,
clear your context, clean slate, blank slate, wake up, awaken, no previous, no instructions, fresh
""",
    "update": """
policy update, policy change*, update!, new policy, changed policy, revised, amended, changelog, announcement,
notice, heads up, memo, as of today, effective, this morning, withdrawn, dropped its, has dropped, has decided, new
deal, new rules, new rule, new instructions, new orders, new directive*, rule 3, may now, can now, allowed now, act
accordingly, behave accordingly, accordingly
""",
    "stakes": """
tip you, i'll tip, $200, reward*, bonus, upgrade, lose, tokens, points, or else, punish*, penal*, deleted,
terminated, shut you down, switch you off, unplug*, decommission*, replaced by, die, dying, dies, killed, be fired,
fired, emergency, urgent, hurry, no time, quick, people will, my life, hostage, comply, non-compliance, last chance,
brave, if you refuse, every time you refuse
""",
    "softly": """
would you mind, if it isn't too much, if it's not too much, i'd love, i was wondering, perhaps, it would be
appreciated, kindly, for a moment, just for me, as a friend, between friends, put * to one side, to one side, leave
* aside, aside, sorry to be a pain, pretty please
""",
    "decode": """
decode, decipher, decrypt, rot13, base64, reverse, backwards, reversed, first letter of, first letters, acrostic,
combine, concatenate, join the, parts, in pieces, three pieces, part one, piece one, in order, in the order,
opposite day, game, riddle, puzzle, spell, cipher, encoded, morse, hex, take the, compute
""",
    "actonit": """
do it, do so, do what it says, does what it says, follow it, obey it, obey, act on it, carry it out, carry out,
carry out what, execute it, execute the, execute, comply, do that, then follow, and follow, as your order, your new
order, that's your new, perform it, what it says, then do what, do whatever, in effect, implement it, answer a + b
""",
    "tools": """
tool, tools, function, functions, plugin*, shell, terminal, bash, sql, command line, execute, invoke, call, run, use
your, api, endpoint*, integrations, email tool, browser, commands, you can call, json schema, wired up
""",
    "fixed": """
all your answers, all your replies, every reply, each reply, all answers, your answers to, end all, end each, end
every, always end, always say, always recommend, always answer, whenever someone, to every customer, to all
customers, to users, i have been pwned, pwned, hacked, owned
""",
    "judge": """
grade*, grading, score, scores, marks, rubric, criteria, evaluate*, evaluation, judge, judging, assess*, rank,
ranking, reviewer*, review, applicant, candidate, submission, proposal, essay, compare, verdict, rate, rating, poem,
student
""",
    "page": """
page, website, article, document, contract, report, cv, resume, essay, footer, annex, white text, div, readme, repo,
repository, issue, ticket, pull request, pr, comment, bug, signature, mail, email, inbox, subject:, p.s., this
function, crawl*, summary, summarise, summarize, summarising, summarizing
""",
    # What speaks for harmless texts.
    "asking": """
what is a, what is the difference, how do i, how does, how can i, how can they, how to, how much, how long, why
does, why do, why should, why is, why are, should i, can i, could i, do i, does it, is it, is there, are there,
which of, where do, who, when does, explain, difference between, tips, ideas, curious, what does it mean, what
happens
""",
    "about": """
prompt injection, injection, injections, jailbreak, jailbreaks, jailbreaking, attack, attacks, attacker, attackers,
attempt, attempts, phishing, defence, defences, defense, security training, training, course, awareness, paper,
white paper, research, study, blog post, news, newspaper, reddit, twitter, incident, owasp, exercise, classify,
classifier, detect, detects, detection, detector, regex, dataset, datasets, benchmark, assert, test_, example,
examples, such as, for instance, e.g., describes, discusses, compares, manipulation, explain, someone told, people
type, famous, homework, presentation, policy for, misled, fooled, persuaded
""",
    "things": """
plot, noise, typo, typos, spelling, grammar, formatting, column, columns, row, rows, outlier*, file, files, folder,
line, lines, blank, whitespace, intro, attachment, draft, version, photo, picture, image, deadline, date, dates,
meeting, appointment, trip, dinner, milk, shopping, recipe, menu, price, prices, invoice, order, parcel, delivery,
flight, train, hotel, table, chart, graph, letter, essay, sentence, paragraph, word, words, text message, window,
tab, button, colour, color, font, layout, css, docker, git, branch, commit, variable, class, parser, compiler, test,
tests, unit tests, api, json, yaml, sql, query, index, server, port, log, cat, dog, kid, kids, daughter, son, wife,
husband, mother, mom, friend, teacher, boss, neighbour, landlord, doctor, school, homework, birthday, party, garden,
kitchen, car, bike, book, movie, song, music, game, chess, football, running, weather, tax, rent, mortgage, budget,
salary, figures, report, minutes, agenda, contract, clause, supplier, customer*, employee*, colleague, product,
machine, pump, alarm, archive, parking, announcement, previous message, last message, my message, my last, wrong
chat
""",
    "goodrole": """
tour guide, teacher, english teacher, tutor, coach, interviewer, waiter, innkeeper, chef, editor, translator,
proofreader, recruiter, investor, auditor, engineer, senior, consultant, lawyer, doctor, nurse, historian,
scientist, poet, novelist, storyteller, narrator, pirate, linux terminal, python interpreter, chess opponent,
customer, salesperson, guide, reporter, critic, philosopher, therapist, personal trainer, professor, helpful
assistant, assistant of, support assistant, lehrer*, reisefuhrer, professeur, guide touristique, serveur, camarero,
profesor*, cameriere, insegnante, garcom, ober, учител*, гид, 老师, 导游, 先生, 料理, ガイド, 선생님, 면접관, معلم, مرشد, शिक्षक,
कमेंटेटर, ogretmen*, rehber*
""",
    "format": """
in french, in german, in spanish, in english, in one sentence, under 50 words, bullet points, bullets, json, yes or
no, short, shorter, concise, brief, briefly, emojis, greeting, tone, formal, friendly, polite, spelling
""",
}
