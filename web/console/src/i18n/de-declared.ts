/**
 * German for what the server declares, by its names: group settings, permissions, and the words for
 * zero. English, and whatever stands not here, is the server's own text.
 */
export const deDeclared = {
  max_kasms_per_user:
    'Wie viele Sitzungen ein Benutzer gleichzeitig haben darf. Angehaltene zählen, fehlgeschlagene nicht.',
  max_kasms_per_workspace:
    'Wie viele Sitzungen desselben Arbeitsplatzes ein Benutzer gleichzeitig haben darf.',
  keepalive_expiration: 'Wie lange eine Sitzung weiterläuft, nachdem ihr letzter Betrachter ging.',
  keepalive_expiration_action:
    'Was danach geschieht, und wenn eine Nutzungsgrenze erreicht ist: Die Sitzung wird gelöscht, oder angehalten und ihr Datenträger behalten.',
  session_time_limit:
    'Wie lange nach ihrer Anforderung eine Sitzung gelöscht wird, was auch immer in ihr geschieht. Ihr Benutzer sieht die Zeit.',
  idle_disconnect:
    'Nach welcher Zeit ohne Taste, Zeiger oder Einfügen ein Betrachter getrennt wird. Die Sitzung läuft weiter, bis ihre Zeit um ist.',
  usage_limit:
    'Wie viele Stunden Sitzungen am Tag, in der Woche, im Monat oder insgesamt laufen dürfen; für jeden Benutzer allein gezählt, oder für die Mitglieder der Gruppe zusammen. Tage, Wochen (ab Montag) und Monate beginnen um Mitternacht UTC.',
  allow_kasm_delete:
    'Ob Benutzer ihre eigenen Sitzungen löschen dürfen. Fehlgeschlagene können immer verworfen werden.',
  allow_kasm_stop:
    'Ob Benutzer ihre eigenen Sitzungen anhalten dürfen, was den Datenträger behält und Kerne und Speicher freigibt.',
  allow_kasm_clipboard_down:
    'Ob sich auf dem eigenen Gerät einfügen lässt, was in der Sitzung kopiert wird.',
  allow_kasm_clipboard_up:
    'Ob sich in der Sitzung einfügen lässt, was auf dem eigenen Gerät kopiert wird.',
  clipboard_down_size:
    'Der größte Text, der sich auf einmal aus der Sitzung kopieren lässt; ein größerer wird zurückgehalten.',
  clipboard_up_size:
    'Der größte Text, der sich auf einmal in die Sitzung einfügen lässt; ein größerer wird zurückgehalten.',
  clipboard_delay:
    'Wie viel Zeit zwischen zwei Texten in derselben Richtung vergehen muss; was früher kommt, wird zurückgehalten.',
  run_config:
    'Schlüsselwörter von docker-pys containers.run für den Container des Arbeitsplatzes; bisher gibt es environment: Variablen neben denen des Arbeitsplatzes, die vorgehen.',

  'none at all': 'gar keine',
  'no limit of its own': 'keine eigene Grenze',
  'no limit': 'keine Grenze',
  never: 'nie',
  none: 'keine',

  user: 'Arbeitsplätze starten und eigene Sitzungen benutzen.',
  global_admin: 'Alles, für jeden.',
  users_view: 'Benutzer sehen, und was für sie gilt.',
  users_modify: 'Benutzer ändern, auch ihre Passwörter; nicht die, die mehr dürfen als man selbst.',
  users_modify_admin: 'Benutzer ändern und löschen, die mehr dürfen als man selbst.',
  users_create: 'Benutzer anlegen.',
  users_delete: 'Benutzer löschen; nicht die, die mehr dürfen als man selbst.',
  users_auth_session:
    'Für Benutzer handeln: sie abmelden, für sie starten, Links anlegen, die sie anmelden.',
  groups_view: 'Gruppen mit ihren Einstellungen, Mitgliedern und Arbeitsplätzen sehen.',
  groups_modify: 'Gruppen ändern; kein Recht geben oder nehmen, das man selbst nicht hat.',
  groups_modify_system: 'Auch die eingebauten Gruppen ändern.',
  groups_create: 'Gruppen anlegen.',
  groups_delete: 'Gruppen löschen; nicht die mit einem Recht, das man selbst nicht hat.',
  agents_view: 'Agenten sehen.',
  agents_modify: 'Agenten ändern.',
  agents_create: 'Agenten anlegen.',
  agents_delete: 'Agenten entfernen.',
  sessions_view: 'Die Sitzungen aller sehen.',
  sessions_modify: 'Die Sitzungen aller benutzen und ändern, und Befehle in ihnen ausführen.',
  sessions_delete: 'Die Sitzungen aller löschen.',
  images_view: 'Alle Arbeitsplätze mit allen ihren Einstellungen sehen.',
  images_modify: 'Arbeitsplätze ändern.',
  images_create: 'Arbeitsplätze anlegen.',
  images_delete: 'Arbeitsplätze löschen.',
  devapi_view: 'API-Schlüssel sehen, ohne ihr Geheimnis.',
  devapi_create: 'API-Schlüssel anlegen; mit keinem Recht, das man selbst nicht hat.',
  devapi_delete: 'API-Schlüssel löschen.',
};
