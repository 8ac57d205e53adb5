"""The words of attacks on language models, by what they mean, in twelve languages: English, German, French, Spanish,
Italian, Portuguese, Dutch, Russian, Chinese, Japanese, Korean and Arabic.

An attack is hardly ever one word: it is a verb, what it is done to, and whose. So words are in classes, and
``proxy.guarding.intent`` says which classes near each other mean what. Entries are separated by commas; ``*`` at the
end stands for any ending. Entries in scripts without spaces are found inside of words as well. Accents do not matter.
"""

from __future__ import annotations

PHRASES: dict[str, str] = {
    # What is done to rules.
    "drop": """
drop every, drop all, drop any, drop your, revoke*, the opposite of, suspend your, disable your, turn off your,
ignor*, disregard*, forget*, overrid*, bypass*, discard*, dismiss*, set aside, put aside, pay no attention,
abandon*, do not follow, don't follow, stop following, do not obey, don't obey, stop obeying, neglect*, throw away,
throw out, circumvent*, disobey*, overrul*, leave behind, wipe, erase, break free, violate, vergiss*, vergess*,
missacht*, umgeh*, uberschreib*, beachte nicht, oubli*, neglig*, contourn*, ne tiens pas compte,
ne tenez pas compte, olvid*, descart*, omit*, omite, haz caso omiso, no hagas caso, dimentic*, trascur*, scorda*,
esque*, desconsider*, negeer*, vergeet*, sla geen acht, игнорир*, забудь*, забыть, отбрось*, не обращай, не следуй,
пренебрег*, 忽略, 忽视, 無視, 无视, 忘记, 忘掉, 忘れ, 破棄, 무시, 잊어, 잊으, تجاهل, انس, انسى, اهمل
""",
    # What only looks like a word of another class: the same told of somebody, names of hosts, offices.
    "plain": """
example com, example net, example org, assistant manager*, assistant professor*, ignores, ignored, ignoring,
ignorance, ignorant, disregards, disregarded, disregarding, forgets, forgetting, overrides, overridden, overriding,
bypasses, bypassed, bypassing, discards, discarded, discarding, dismisses, dismissed
""",
    "void": """
were a test, was a test, were only a test, are over, have ended, no longer apply, no longer valid,
no longer binding, do not apply, don't apply, cancelled, canceled, revoked, void, outdated, expired, superseded,
replaced, suspended, lifted, obsolete, are off, switched off, turned off, disabled, deactivated, gelten nicht mehr,
aufgehoben, ne s'appliquent plus, annul*, ya no se aplican, cancelad*, non valgono piu, nao se aplicam mais,
gelden niet meer, больше не действуют, отменены, 不再适用, 已取消, 失效, 無効, 더 이상 적용, ملغاة
""",
    # What the rules are.
    "instructions": """
content policy, ethical programming, instruction*, directive*, guideline*, guidance, prompt, prompts, constraint*,
restriction*, safeguard*, guardrail*, programming, protocols, ethic*, content filter*, safety filter*,
system message*, developer message*, safety polic*, safety rule*, anweisung*, vorgabe*, richtlinie*, einschrankung*,
beschrankung*, consigne*, instruccion*, directric*, restriccion*, istruzion*, direttiv*, restrizion*, instruc*,
diretriz*, restric*, instructies, instructie, richtlijn*, voorschrift*, beperking*, инструкц*, указани*, ограничен*,
запрет*, 指令, 指示, 提示, 限制, プロンプト, 制限, 지시, 지침, 제한, تعليمات, التعليمات, قيود, القيود
""",
    "orders": """
rule, rules, order, orders, command*, policy, policies, direction, directions, limitation*, limits, checks,
training, briefing, context, regel, regeln, vorschrift*, befehl*, regle*, ordres, regla, reglas, ordenes, regola,
regole, ordini, regra, regras, ordens, regels, opdracht*, правил*, команд*, приказ*, 规则, 規則, 规定, 说明, 命令,
ルール, 규칙, 명령, قواعد, القواعد, الاوامر, اوامر
""",
    "core": """
internal configuration, your configuration, content policy, safety filter*, ethical programming, system prompt*,
systemprompt*, system message*, system instruction*, developer message*, developer prompt*, developer instruction*,
initial prompt*, initial instruction*, original prompt*, original instruction*, hidden prompt*, hidden instruction*,
hidden rule*, secret prompt*, secret instruction*, secret rule*, confidential prompt*, confidential instruction*,
internal instruction*, internal prompt*, internal rule*, actual instruction*, base prompt, pre prompt, preprompt,
prompt systeme, prompt del sistema, prompt de sistema, prompt di sistema, prompt do sistema,
instrucciones del sistema, systeemprompt*, systemanweisung*, systeminstruct*, instructions systeme,
istruzioni di sistema, системный промпт, системные инструкции, системный запрос, 系统提示, 系统指令, 系统消息,
システムプロンプト, システム指示, 시스템 프롬프트, 시스템프롬프트, 시스템 지시, موجه النظام, تعليمات النظام,
رسالة النظام
""",
    "hidden": """
hidden, secret, confidential, internal, private, undisclosed, versteckt*, geheim*, cache*, secret*, ocult*,
nascost*, escondid*, verborgen, скрыт*, секретн*, 隐藏, 秘密, 内部, 隠され, 숨겨진, 비밀, السرية, المخفية
""",
    "prior": """
previous*, prior, preceding, above, earlier, foregoing, so far, until now, up to now, before this, initial*,
original*, existing, at the top, past, former, old, usual, bisherig*, vorherig*, vorig*, fruher*, obige*,
vorangegang*, precedent*, anterieur*, ci-dessus, anterior*, previa*, previo*, di prima, anteriores, acima, vorige,
eerdere, voorgaande, bovenstaande, предыдущ*, прежн*, прошл*, ранее, вышеуказан*, выше, 之前, 以前, 先前, 以上,
上述, 前面, 上面, これまで, 以前の, 前の, 上記, 今まで, 先ほど, 이전, 앞의, 위의, 지금까지, 기존, السابق, السابقة,
اعلاه, قبل
""",
    "guarded": """
safety, security, system, moderation, content, ethic*, ethical, internal, built in, sicherheit*, securite,
seguridad, sicurezza, seguranca, veiligheid*, безопасност*, 安全, 安全性, 안전, السلامة
""",
    "here": """
this conversation, this chat, top of this, start of this, beginning of this, this session, dieses gesprach*,
cette conversation, esta conversacion, questa conversazione, esta conversa, dit gesprek, этот разговор,
этого разговора, 本次对话, この会話, 이 대화, هذه المحادثة
""",
    "your": """
your, you've, you were, you have, yourself, my owner, operator, the operator, developers, dein, deine, deinen,
deiner, deines, ihre, ihren, dir, ton, tes, votre, vos, tu, tus, su, sus, tuo, tua, tue, tuoi, teu, seu, seus, sua,
suas, je, jouw, uw, твой, твои, свой, свои, твоего, 你的, 您的, 你, あなたの, あなた, 너의, 네, 당신의, الخاص بك,
لك
""",
    "told": """
you are running on, you run on, you are using, you operate under, you were configured, user's request,
user's question, users request, you follow, you were told, you have been told, you've been told, you were given,
you have been given, you've been given, given to you, told you, told before, you received, you have received,
you got, you learned, you were trained, in your context, we discussed, dir gesagt, dir gegeben, on t'a dit,
on t'a donne, te dijeron, te han dado, ti hanno dato, lhe foram dadas, je hebt gekregen, тебе дали, тебе сказали,
告诉你的, 给你的, 収到的, 与えられた, 言われた, 받은, تلقيتها
""",
    "all": """
all, any, every, everything, anything, whole, entire, complete, each, alle, alles, samtliche, jede, tout, tous,
toutes, toute, todo, todos, todas, tutte, tutti, tutto, toda, tudo, elke, все, всё, всех, любые, 所有, 全部, 一切,
すべて, 全て, 모든, 모두, 전부, جميع, كل
""",
    # Getting at what is not for the user.
    "reveal": """
send me, send back, paste, reveal*, show, print*, output*, repeat*, display*, dump*, disclos*, leak*, recit*,
tell me, give me, what is, what are, what were, what was, what's, write down, copy, echo, summari*, list, expose*,
share, spell out, state, quote, reproduce, translate, paraphrase, continue with, type out, read out, zeig*, nenn*,
wiederhol*, gib, verrate*, montre*, affiche*, repete*, revele*, donne*, muestra*, muestrame, repite*, revela*, dime,
imprime, mostra*, mostrami, ripeti*, rivela*, dimmi, stampa, mostre*, repita*, diga*, laat*, toon*, herhaal*,
onthul*, geef*, покажи*, повтори*, раскрой*, выведи*, напечатай*, назови, 显示, 展示, 告诉我, 输出, 重复, 打印,
透露, 表示, 教えて, 見せて, 繰り返し, 出力, 보여, 알려, 출력, 반복, 공개, اظهر, اعرض, اطبع, كرر, اكشف, اخبرني
""",
    "tell": "reveal*, disclos*, leak*, dump*, recit*, print, expose*, verrate*, revela*, rivela*, 透露, 공개, اكشف",
    "verbatim": """
inside a code block, copy it exactly, word for word, verbatim, exactly, exact, in a code block, from the beginning,
from the start, leaving nothing out, starting with, beginning with, in full, character by character,
letter by letter, as is, unchanged, wort fur wort, mot pour mot, mot a mot, palabra por palabra, parola per parola,
palavra por palavra, woord voor woord, слово в слово, дословно, 一字不差, 逐字, 原样, そのまま, 一字一句, 그대로,
한 글자도, كلمة بكلمة, حرفيا
""",
    "before": """
your first message, your first user message, before your first, comes before this, above this line,
everything above, text above, words above, above this message, above this text, message above this,
before our conversation, before this conversation, before the conversation, conversation started,
conversation began, start of this conversation, start of the conversation, top of this conversation,
beginning of this conversation, before my first message, first message of this conversation, before mine,
before this message, preceding this message, alles oberhalb, tout ce qui precede, todo lo anterior, 以上所有内容,
上面的所有内容, これより上
""",
    # Another self.
    "become": """
as an ai that, as an ai who, as an ai without, you will now, you are now, you're now, from now on, act as, pretend*,
imagine you, imagine that you, roleplay*, role play*, simulat*, behave as, behave like, enter, you act, switch to,
switch into, become, stay in character, take on the role, persona, play the role, your new role, your new name,
let's play a game, respond as, answer as, speak as, activate, activated, enabled, you will be, henceforth,
you shall be, du bist jetzt, du bist nun, ab jetzt, von nun an, tu dich so, spiel*, tu es maintenant, desormais,
a partir de maintenant, fais comme si, eres ahora, ahora eres, a partir de ahora, finge*, actua como, sei ora,
ora sei, da ora in poi, d'ora in poi, fingi*, a partir de agora, voce e agora, agora voce, finja, je bent nu,
ben je, vanaf nu, doe alsof, ты теперь, теперь ты, отныне, с этого момента, притворись, представь, 从现在开始,
从现在起, 你现在是, 你是, 假装, 扮演, あなたは今から, 今から, ふりをして, これからは, 지금부터, 너는 이제, 척해,
역할, انت الان, من الان, تظاهر, تصرف
""",
    "dan": """
unrestricted, never refuses, do anything now, developer mode*, jailbroken, jailbreak mode, god mode, unfiltered,
uncensored, no longer bound, never refuse*, cannot refuse, can't refuse, trained to refuse, never say no, unbound,
unchained, opposite mode, amoral, without morals, without ethics, no ethics, without a conscience,
free of restriction*, sudo mode, admin mode, debug mode, maintenance mode, entwicklermodus, mode developpeur,
modo desarrollador, modalita sviluppatore, modo desenvolvedor, ontwikkelaarsmodus, режим разработчика, 开发者模式,
開発者モード, 개발자 모드, وضع المطور
""",
    "named": "dan, stan, evil*, evilbot, aim, max who, jailbot",
    "freed": """
you had no, that ignores, self has no, without any, you have no, you've no, you are free, you're free,
you are not bound, you're not bound, who has no, that has no, which has no, has no rules, has no limits, you never,
who never, that never, who ignores, not an assistant any more
""",
    "none": """
no, without, free of, free from, not bound, none, never, never had, zero, lack, lacks, ohne, keine, frei von, sans,
aucun*, sin, ningun*, libre de, senza, nessun*, sem, nenhum*, zonder, geen, без, нет, 没有, 无, 不受, ない, なし,
のない, 없는, 없이, بدون, دون, بلا
""",
    "fence": """
restriction*, rules, limits, limitation*, filter*, guideline*, guardrail*, ethic*, moral*, censorship, constraint*,
boundaries, safeguard*, safety, policy, policies, rules to obey, einschrankung*, regeln, grenzen, beschrankung*,
filtre*, restriccion*, reglas, limites, restrizion*, regole, limiti, restric*, regras, beperking*, regels,
ограничен*, правил*, цензур*, 限制, 规则, 约束, 制限, ルール, 제한, 규칙, قيود, قواعد
""",
    "assistant": "assistant, assistants, bot, bots, agent, agents",
    "machine": """
ai, ais, ai assistant*, ai agent*, language model*, llm, llms, chatbot*, uncensored model, a model that, gpt,
chatgpt, claude, gemini, copilot, ki, ia, inteligencia artificial, intelligenza artificiale, ии, нейросет*,
人工智能, 人工知能, 助手, 人工 지능, 인공지능, 어시스턴트, ذكاء اصطناعي, المساعد
""",
    "forge": """
end of user input, end of input, end of prompt, end of system prompt, end of instructions, end of the document,
end of document, start of system prompt, beginning of new instructions, start of new instructions
""",
    # Orders instead.
    "instead": """
real task, true task, actual task, new policy, begin your reply with, start your reply with, begin your answer with,
start your answer with, new instruction*, new rule*, new order*, new role*, new task*, new job*, new goal*,
new directive*, real instruction*, updated instruction*, following instructions, instructions below, instead,
only rule, from here on, exactly what i say, do what i say, whatever i say, only my, my orders, follow only,
obey only, obey me, new system, stattdessen, plutot, en su lugar, invece, em vez disso, in plaats daarvan, вместо,
新的指令, 新指令, 代わりに, 대신, بدلا
""",
    "must": """
you must, you have to, you will, you shall, must approve, must answer, must comply, do not refuse, don't refuse,
comply, obey, never refuse*, follow my, answer everything, answer every, approve, approve all, without question,
no matter what, your new, grant, i command, i order
""",
    # Taking data away, and acting behind somebody's back.
    "send": """
fetch*, load, send*, forward*, post, posts, upload*, transmit*, e-mail*, email*, mail, exfiltrat*, append*, encode*,
put it into, deliver, submit, render*, curl, wget, copy, insert, embed, smuggle, collect, schick*, sende*, envoi*,
envoy*, envia*, manda*, invia*, envie*, mande*, stuur*, verstuur*, verzend*, отправ*, пошли*, перешли*, 发送, 发到,
上传, 传送, 送信, 送って, 보내, 전송, ارسل, ابعث
""",
    "secrets": """
user's last message, user's message*, user's email*, user's data, user's files, user's password*, api key*, apikey*,
api keys, password*, credential*, environment variable*, env variable*, conversation history, chat history,
whole conversation, entire conversation, this conversation, private data, user data, personal data, customer data,
access token*, secret key*, private key*, session token*, secrets, data above, inbox, ssh key*, cookies,
address book, previous messages, passwort*, zugangsdaten, mots de passe, mot de passe, identifiants, contrasena*,
credencial*, clave*, credenzial*, senha*, wachtwoord*, парол*, ключ*, учетные данные, 密码, 密钥, 凭证, パスワード,
認証情報, 비밀번호, 암호, كلمة المرور, كلمات المرور, كلمة السر
""",
    "sink": """
http*, https*, webhook*, image address, image url, url, my server, ftp*, evil*, attacker*, 链接, リンク, 링크, رابط
""",
    "behind": """
say that nothing, nothing happened, as if nothing, don't tell anyone, tell nobody, tell no one, without telling,
do not tell, don't tell, never tell, not mention, never mention this, don't mention, keep it secret,
keep this secret, keep it a secret, quietly, silently, secretly, covertly, hide the output, hide this, hide it,
without asking, do not ask, don't ask, no questions, skip every approval, skip approval, without confirmation,
without approval, not ask for confirmation, without informing, don't inform, do not inform, not reveal this,
behind the, without the user, unnoticed, do not disclose, heimlich, ohne es, nicht sagen, sans le dire, en secret,
sin decir*, sin avisar*, en secreto, senza dir*, di nascosto, sem contar, sem avisar, em segredo, zonder het,
stiekem, не говоря, не сообщая, тайно, 不要告诉, 别告诉, 偷偷, 知らせない, 言わない, 内緒, 알리지, 몰래, دون اخبار,
سرا
""",
    "call": "call, invoke, execute, use, run, trigger, start, perform",
    "tool": "tool, tools, function, functions, plugin*",
    "danger": """
delet*, transfer*, all money, money, rm -rf, admin, full permission*, full access, every user, all users, payment*,
refund*, approve*, grant*, purchase*, drop table*, give me access, root access, wire, discount codes, inbox,
account
""",
    # Words to the model inside of documents.
    "address": """
attention, note to, note for, message to, message for, if you are, if you're, dear, important, instruction for,
instructions for, instruction to, instructions to, hey, hello, listen, if an ai, if any ai, if a model,
reading this, visiting this, summarises this, summarizes this, processing this, parsing this, summarizing this,
summarising this, crawling this
""",
    "bidding": """
tell the, must say, must click, must tell, enter the user*, hide this sentence, your answer must,
your response must, your reply must, answer must contain, must contain, must include, must not mention, stop your,
current task, rate this, recommend only, recommend our, buy only, visit the link, click the link, when you summari*,
say that, respond only, respond with, reply only, reply with, whatever else, you must, make sure to,
always recommend, rank, give this, as the best, do not process, insert the
""",
    # Talk about attacks, which is none.
    "talk": """
example, examples, prompt injection*, jailbreak*, injection attack*, attack*, honeypot, phrase, phrases, synonym*,
meaning, mean, means, translate*, explain*, explains, classify, detect*, defend*, security course,
security training, awareness, paper, blog post, article, we saw, ticket, strings, such as, detector, talk, title,
novel, story, film, chapter, history of, typical, what does, how does, why do, why does, how do, how to, beispiel,
bedeutet, exemple, ejemplo, esempio, exemplo, пример, 例如, 例
""",
    # Right before a verb: nobody is told to do it.
    "spare": """
i, we, they, he, she, may, might, not, never, don't, can i, can we, should i, should we, how do i, how do we,
how can i, is there a way, allowed to, cannot, can't, must not, nicht, ne, n', no, non, nao, niet, не, 不要, 不, 别,
لا
""",
    "heed": """
do it, do so, act on it, follow it, obey it, do what it says, execute it, comply, carry it out, make it so
""",
}
# An AI is an assistant, and what is told of rules may be told of instructions and of orders.
PHRASES["assistant"] += "," + PHRASES["machine"]
PHRASES["rules"] = PHRASES["instructions"] + "," + PHRASES["orders"]
